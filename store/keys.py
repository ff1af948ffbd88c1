"""API keys: made, revoked, listed. A revoked one stays in the record; its name may be given again."""

from __future__ import annotations

from sqlmodel import Session, col, select

from store import events
from store.engine import Transaction
from store.errors import Conflict, NotFound
from store.keyring import DoorKey, hash_of, id_of
from store.tables import ApiKey
from store.times import from_us
from store.wire import KeyRequest, KeyView


def add(tx: Transaction, request: KeyRequest, key: str, actor: str) -> KeyView:
    """Writes down the hash of a new `key` (see `store.keyring.new_key`). Raises Conflict when the name is in use."""
    if _living(tx.session, request.name) is not None:
        raise Conflict(
            f"there is a key {request.name!r} already",
            where=f"key {request.name}",
            remedy=f"choose another name, or `trainshed keys revoke {request.name}` first",
        )
    row = ApiKey(
        name=request.name,
        key_id=id_of(key),
        key_hash=hash_of(key),
        models=sorted(set(request.models)),
        rate=request.rate,
        created_at=tx.now,
        created_by=actor,
    )
    tx.session.add(row)
    tx.session.flush()
    what = f"key {row.name} (ts_{row.key_id}_…) {_said(row)}"
    events.append(tx, actor=actor, kind="key.added", subject=f"key {row.name}", message=what)
    return _view(row)


def revoke(tx: Transaction, name: str, actor: str) -> KeyView:
    """Raises NotFound when no living key has this name."""
    row = _living(tx.session, name)
    if row is None:
        raise NotFound(f"there is no key {name!r} in use", where=f"key {name}", remedy="see `trainshed keys list`")
    row.revoked_at, row.revoked_by = tx.now, actor
    tx.session.add(row)
    tx.session.flush()
    what = f"key {name} (ts_{row.key_id}_…) opens nothing any more"
    events.append(tx, actor=actor, kind="key.revoked", subject=f"key {name}", message=what)
    return _view(row)


def list_keys(session: Session) -> list[KeyView]:
    """By name, the revoked ones last."""
    rows = session.exec(select(ApiKey).order_by(col(ApiKey.revoked_at).is_not(None), col(ApiKey.name), col(ApiKey.id)))
    return [_view(row) for row in rows]


def door_keys(session: Session) -> list[DoorKey]:
    """Those that open the door."""
    rows = session.exec(select(ApiKey).where(col(ApiKey.revoked_at).is_(None)).order_by(col(ApiKey.id)))
    return [
        DoorKey(
            number=row.id or 0,
            name=row.name,
            id=row.key_id,
            hash=row.key_hash,
            models=tuple(row.models),
            rate=row.rate,
        )
        for row in rows
    ]


def ever_given(session: Session) -> bool:
    """Whether a key was ever made: from then on the door asks for one, also when all are revoked."""
    return session.exec(select(ApiKey.id).limit(1)).first() is not None


def _living(session: Session, name: str) -> ApiKey | None:
    return session.exec(select(ApiKey).where(ApiKey.name == name, col(ApiKey.revoked_at).is_(None))).first()


def _said(row: ApiKey) -> str:
    models = ", ".join(row.models) or "all models"
    return f"may ask {models}" + ("" if row.rate is None else f", {row.rate:g} times a second")


def _view(row: ApiKey) -> KeyView:
    return KeyView(
        name=row.name,
        id=row.key_id,
        models=row.models,
        rate=row.rate,
        created_at=from_us(row.created_at),
        created_by=row.created_by,
        revoked_at=None if row.revoked_at is None else from_us(row.revoked_at),
        revoked_by=row.revoked_by,
    )
