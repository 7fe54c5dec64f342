"""NetBox's own import views on our files.

Its empty database takes five minutes to set up, so this runs where FABRICTOOL_NETBOX names the Python of an
environment with NetBox 4.7 (``pip install netbox``, Python 3.12), DJANGO_SETTINGS_MODULE is ``netbox.settings``,
and NETBOX_ROOT holds a ``conf/configuration.py`` for a migrated PostgreSQL database and a Redis server.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import fabrics
import pytest

from fabrictool.formats import netbox
from fabrictool.formats.plan_rows import cable_rows
from fabrictool.formats.port_naming import named_ports
from fabrictool.records import Place

PYTHON = os.environ.get("FABRICTOOL_NETBOX", "")
IMPORTER = """
import re, sys
import django
django.setup()
from django.contrib.auth import get_user_model
from django.test import Client
from dcim.models import Cable, Device, DeviceRole, DeviceType, Manufacturer, Rack, Site
for model in (Cable, Device, Rack, DeviceType, DeviceRole, Manufacturer, Site):
    for row in model.objects.all():
        row.delete()
User = get_user_model()
user = User.objects.filter(username="tests").first()
user = user or User.objects.create_superuser("tests", "t@example.net", "pass-1234")
client = Client(HTTP_HOST="localhost")
client.force_login(user)
for path in sys.argv[1:]:
    name = re.search(r"\\d+-([\\w-]+)\\.csv$", path)[1]
    facts = {"import_method": "direct", "format": "csv", "csv_delimiter": "auto", "data": open(path).read()}
    answer = client.post(f"/dcim/{name}/import/", facts)
    text = re.sub(r"<[^>]+>", " ", answer.content.decode())
    said = re.findall(r"Record \\d+[^\\n]{0,160}", text)
    print(name, answer.status_code, *said[:3])
print("cables", Cable.objects.count())
print("profiles", *sorted(set(str(profile) for profile in Cable.objects.values_list("profile", flat=True))))
for row in Cable.objects.filter(profile="trunk-2c1p")[:1]:
    print("ends", *sorted(str(end) for end in [*row.a_terminations, *row.b_terminations]))
"""


@pytest.mark.skipif(not PYTHON, reason="FABRICTOOL_NETBOX names no Python with NetBox 4.7")
def test_netbox_takes_all_files(tmp_path: Path) -> None:
    fabric = fabrics.rails(8, 4, 4, 2, protocol="ethernet")
    places = {name: Place(name, rack="R01", unit=row + 1) for row, name in enumerate(fabric.names)}
    words = named_ports(fabric, "cumulus", {})
    types = {"sw": netbox.TypeFacts("NVIDIA", 1, "SW-1"), "h": netbox.TypeFacts("Generic", 1)}
    inventory = netbox.Inventory(fabric, words, places, types, {"R01": 52})
    rows = [replace(row, media="aoc", length_m=5.0) for row in cable_rows(fabric, words, places)]
    rows[-1] = replace(rows[-1], cable_id=rows[-2].cable_id, leg=2)
    paths = []
    for name, text in netbox.write(inventory, rows).items():
        (tmp_path / name).write_text(text)
        paths.append(str(tmp_path / name))
    done = subprocess.run((PYTHON, "-c", IMPORTER, *paths), capture_output=True, text=True, check=False, timeout=600)
    answers = re.findall(r"^([\w-]+) (\d{3})(.*)$", done.stdout, re.MULTILINE)
    assert [(name, code) for name, code, _ in answers] == [
        (name, "302") for name in ("sites", "manufacturers", "device-roles", "device-types", "racks", "devices",
                                   "interfaces", "cables")
    ], done.stdout + done.stderr  # fmt: skip
    assert f"cables {len(fabric.links) - 1}" in done.stdout
    assert "trunk-2c1p" in done.stdout
