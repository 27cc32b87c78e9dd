"""PUT bytes -> attachment -> GET bytes. The presigned addresses, which need no token (linq-api-v3.md section 7.6)."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request

from linqbot.emulator import choices
from linqbot.emulator.linq import Linq
from linqbot.emulator.operation import Call, Operation
from linqbot.emulator.problems import Problem
from linqbot.emulator.vault import File
from linqbot.emulator.wire import Answer, Wire


class Presigned(Operation):
    """An endpoint whose address itself is the permission."""

    needs_token = False


class Upload(Presigned):
    """Takes exactly the bytes that were announced, with exactly the headers that were asked for."""

    async def read(self, request: Request, wire: Wire, call: Call) -> Problem | None:
        """Check address and headers before the first byte, the size after the last one."""
        try:
            file = self._file(request, call)
        except Problem as problem:
            return problem
        size, call.content = 0, self.linq.vault.basket()
        async for chunk in wire.stream():
            size += len(chunk)
            if size <= file.size:
                call.content.write(chunk)
        if size != file.size:
            return Problem(*choices.BAD_UPLOAD, "The body has not the announced size")
        return None

    def _file(self, request: Request, call: Call) -> File:
        vault = self.linq.vault
        file = vault.check_signature(vault.files.get(call.params["attachmentId"]), "upload", call.query_string)
        if any(request.headers.get(name) != value for name, value in required_headers(file).items()):
            raise Problem(*choices.BAD_SIGNATURE, "The headers are not those the upload was signed with")
        return file


def required_headers(file: File) -> dict[str, str]:
    """What an upload must send along."""
    return {"Content-Type": file.content_type, "Content-Length": str(file.size)}


def take_upload(linq: Linq, call: Call) -> Answer:
    """PUT of the upload URL: the attachment is there."""
    content, call.content = call.content, None
    assert content is not None  # `Upload.read` put it there
    linq.vault.fill(linq.vault.known(call.params["attachmentId"]), content)
    return Answer(200)


def download(linq: Linq, call: Call) -> Answer:
    """GET of a download URL; choices.BAD_SIGNATURE when it is too old."""
    vault = linq.vault
    file = vault.check_signature(vault.files.get(call.params["attachmentId"]), "download", call.query_string)
    vault.ready(file.id)
    headers = (("content-disposition", f"inline; filename*=UTF-8''{quote(file.name)}"),)
    return Answer(200, headers=headers, content_type=file.content_type, chunks=file.chunks(), size=file.size)


def download_vcard(linq: Linq, call: Call) -> Answer:
    """GET of a `vcf_url`: the line as a contact, with the other lines that may send as its backups."""
    line = linq.world.lines.get("+" + call.params["number"])
    if line is None:
        raise Problem(404, 2001, "No such line")
    name = "" if line.card is None else f"{line.card.first_name} {line.card.last_name or ''}".strip()
    left_out = {line.phone, *(f"+{one}" for one in call.every("without"))}
    others = [one.phone for one in linq.world.lines.values() if one.may_send and one.phone not in left_out]
    numbers = (f"TEL;TYPE=PREF:{line.phone}", *(f"TEL:{one}" for one in others))
    lines = ("BEGIN:VCARD", "VERSION:3.0", f"FN:{name or line.phone}", *numbers, "END:VCARD", "")
    return Answer(200, "\r\n".join(lines).encode(), content_type="text/vcard; charset=utf-8")
