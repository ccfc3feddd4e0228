"""Tokens listed in a file: `--token-auth-file`. Mirrors `pkg/auth/authenticator/token/tokenfile`."""

import csv
import io
import logging
from pathlib import Path

from generic.request.user import UserInfo

_LOG = logging.getLogger(__name__)

_LEAST_COLUMNS = 3


class TokenFileAuthenticator:
    """Knows the tokens of a CSV file, a line each: token, user name, user uid and optionally `"group1,group2"`."""

    def __init__(self, path: Path) -> None:
        """Raises OSError if the file cannot be read, ValueError if a line is short."""
        self._users = _read(path)

    async def authenticate_token(self, token: str) -> UserInfo | None:
        return self._users.get(token)


def _read(path: Path) -> dict[str, UserInfo]:
    users: dict[str, UserInfo] = {}
    reader = csv.reader(io.StringIO(path.read_text()), skipinitialspace=True)
    for number, record in enumerate(reader, 1):
        if not record:
            continue
        if len(record) < _LEAST_COLUMNS:
            raise ValueError(
                f"token file '{path}' must have at least 3 columns (token, user name, user uid), found {len(record)}"
            )
        token, name, uid = (column.strip() for column in record[:_LEAST_COLUMNS])
        if not token:
            _LOG.warning("empty token has been found in token file %s, record number %d", path, number)
            continue
        if token in users:
            _LOG.warning("duplicate token has been found in token file %s, record number %d", path, number)
        listed = record[_LEAST_COLUMNS] if len(record) > _LEAST_COLUMNS else ""
        groups = tuple(group.strip() for group in listed.split(",") if group.strip())
        users[token] = UserInfo(name, groups, uid)
    return users
