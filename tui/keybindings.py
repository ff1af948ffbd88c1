"""The actions of `tui.keys` as Textual's bindings."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from tui.keys import Action, Scope, actions


def bindings(*scopes: Scope) -> list[BindingType]:
    """For a widget's or screen's BINDINGS."""
    return [binding(action) for action in actions(*scopes)]


def binding(action: Action) -> Binding:
    return Binding(action.keys, action.name, action.label, show=action.strip, tooltip=action.help, id=action.id)
