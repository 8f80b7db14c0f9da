"""Prints an admin's token that is signed with a secret (HS256) and counts for an hour.

It says that it was issued at its end, so that no revocation that is tried out counts for it: none may name a moment so late.

Usage: sign.py SECRET
"""

import base64
import hashlib
import hmac
import json
import sys
import time


def encoded(part: bytes) -> bytes:
    return base64.urlsafe_b64encode(part).rstrip(b"=")


def main(secret: str) -> None:
    end = int(time.time()) + 3_600
    claims = {"sub": "fuzz", "name": "Fuzz", "role": "admin", "iat": end, "exp": end}
    head = encoded(b'{"alg":"HS256","typ":"JWT"}')
    signed = head + b"." + encoded(json.dumps(claims).encode())
    signature = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    print((signed + b"." + encoded(signature)).decode())


if __name__ == "__main__":
    main(*sys.argv[1:])
