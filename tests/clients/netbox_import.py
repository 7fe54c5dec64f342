"""Run by NetBox's own Python: post import files to its views, and print what it then holds, as one JSON document.

Standard input is a JSON object of file names, such as ``08-cables.csv``, and their text. An empty name asks for an
empty NetBox first.
"""

import json
import re
import sys

import django

django.setup()

from dcim.models import Cable, CableBundle, Device, DeviceRole, DeviceType, Interface, Manufacturer, Rack, Site  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.test import Client  # noqa: E402


def empty():
    for model in (Cable, CableBundle, Device, Rack, DeviceType, DeviceRole, Manufacturer, Site):
        for row in model.objects.all():
            row.delete()


def client():
    user = get_user_model().objects.filter(username="tests").first()
    user = user or get_user_model().objects.create_superuser("tests", "t@example.net", "pass-1234")
    found = Client(HTTP_HOST="localhost")
    found.force_login(user)
    return found


def posted(browser, name, text):
    """Post a file as its view takes it: 302 is accepted, 200 the form with what is wrong."""
    kind = re.search(r"\d+-([\w-]+)\.csv$", name)[1]
    facts = {"import_method": "direct", "format": "csv", "csv_delimiter": "auto", "data": text}
    answer = browser.post(f"/dcim/{kind}/import/", facts)
    plain = re.sub(r"<[^>]+>", " ", answer.content.decode())
    said = re.findall(r"Record \d+[^\n]{0,200}|Unrecognized header[^\n]{0,100}", plain)
    return {"status": answer.status_code, "said": [" ".join(line.split()) for line in said[:5]]}


def ends(terminations):
    return [f"{end.device.name}:{end.name}" for end in terminations]


def kind(terminations):
    return terminations[0]._meta.model_name if terminations else ""


def held():
    cables = [
        {"label": row.label, "a": ends(row.a_terminations), "b": ends(row.b_terminations), "type": row.type,
         "profile": row.profile, "length": None if row.length is None else float(row.length),
         "unit": row.length_unit, "colour": row.color, "status": row.status, "description": row.description,
         "bundle": row.bundle.name if row.bundle else "", "kinds": [kind(row.a_terminations), kind(row.b_terminations)]}
        for row in Cable.objects.all()
    ]  # fmt: skip
    devices = [
        {"name": row.name, "rack": row.rack.name if row.rack else "", "role": row.role.name,
         "position": None if row.position is None else float(row.position), "type": row.device_type.model,
         "height": float(row.device_type.u_height), "face": row.face}
        for row in Device.objects.select_related("rack", "role", "device_type")
    ]  # fmt: skip
    reached = [
        [f"{row.device.name}:{row.name}", sorted(ends(row.connected_endpoints or []))]
        for row in Interface.objects.select_related("device")
    ]
    return {"cables": cables, "devices": devices, "reached": dict(reached)}


def main():
    files = json.load(sys.stdin)
    if "" in files:
        empty()
    browser = client()
    answers = {name: posted(browser, name, text) for name, text in files.items() if name}
    print(json.dumps({"answers": answers} | held()))


main()
