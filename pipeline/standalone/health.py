"""Asks the server beside it whether it is ready: exit status 0 or 1. Standard library only, so it is done at once."""

from __future__ import annotations

import http.client
import os
import sys
from typing import Final

PATIENCE_S: Final = 3.0


def ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        connection.request("GET", "/v2/health/ready")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if ready(int(os.environ.get("TRAINSHED_PORT", "8080"))) else 1)
