# SPDX-License-Identifier: Apache-2.0
"""What is in dist/: Debian packages, units of systemd, manual pages, the container image.  Tests whose tools are not
installed are skipped."""

import os
import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from harness import Client
from harness.server import gnatwren_binary

pytestmark = pytest.mark.ours

ROOT = Path(__file__).resolve().parents[3]
DIST = ROOT / "dist"
STATIC = ROOT / "build-static" / "gnatwren"
PAGES = sorted((DIST / "man").iterdir())


def need(*tools: str) -> None:
    for tool in tools:
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")


def output(*command) -> str:
    """What a command prints; it must succeed, and complain of nothing."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, ""), f"{command}: {done.stderr}"
    return done.stdout


# ---- Debian packages

def build_packages(directory) -> None:
    subprocess.run([DIST / "deb" / "build", gnatwren_binary(), directory], check=True, capture_output=True, timeout=120,
                   env={**os.environ, "DEBFULLNAME": "Some One", "DEBEMAIL": "someone@debian.org"})


@pytest.fixture(scope="module")
def packages(tmp_path_factory) -> dict[str, Path]:
    """The packages, by name."""
    need("dpkg-deb", "dpkg-shlibdeps")
    directory = tmp_path_factory.mktemp("deb")
    build_packages(directory)
    return {path.name.split("_")[0]: path for path in directory.glob("*.deb")}


def content(package) -> dict[str, tuple[str, str]]:
    """What is in a package: (mode, target of the link) by path, directories left out."""
    found = {}
    for line in output("dpkg-deb", "-c", package).splitlines():
        mode, owner, _, _, _, path, *link = line.split(maxsplit=5)[:5] + line.split(maxsplit=5)[5].split(" -> ")
        assert owner == "root/root"
        if not mode.startswith("d"):
            found[path] = mode, link[0] if link else ""
    return found


def test_deb_content(packages):
    """Binary, configuration, units, user, manual pages, documents; each where Debian has such."""
    assert set(packages) == {"gnatwren", "gnatwren-nats-server"}
    found = content(packages["gnatwren"])
    doc = "./usr/share/doc/gnatwren/"
    assert set(found) == {
        "./usr/bin/gnatwren", "./etc/gnatwren/gnatwren.conf", "./usr/lib/sysusers.d/gnatwren.conf",
        *("./usr/lib/systemd/system/" + unit for unit in ("gnatwren.service", "gnatwren-hardened.service", "gnatwren.socket")),
        "./usr/share/man/man1/gnatwren.1.gz", "./usr/share/man/man5/gnatwren.conf.5.gz",
        *(doc + name for name in ("README.md", "changelog.gz", "copyright", "differences.md", "options.md", "running.md"))}
    for path, (mode, _) in found.items():
        assert mode == ("-rwxr-xr-x" if "/bin/" in path else "-rw-r--r--"), path


def test_deb_control(packages, tmp_path):
    """Version, libraries, conffile, checksums, maintainer scripts that are scripts."""
    version = re.search(r"version: '(.*)'", (ROOT / "meson.build").read_text())[1]
    assert output("dpkg-deb", "-f", packages["gnatwren"], "Version").strip() == version
    depends = output("dpkg-deb", "-f", packages["gnatwren"], "Depends")
    assert "systemd" in depends
    if has_interpreter(Path(gnatwren_binary())):
        assert re.search(r"\blibc6 \(>=", depends) and re.search(r"\blibssl3", depends)
    output("dpkg-deb", "-e", packages["gnatwren"], tmp_path)
    assert (tmp_path / "conffiles").read_text() == "/etc/gnatwren/gnatwren.conf\n"
    sums = dict(reversed(line.split("  ")) for line in (tmp_path / "md5sums").read_text().splitlines())
    assert {"./" + path for path in sums} == set(content(packages["gnatwren"]))
    for script in "postinst", "prerm", "postrm":
        output("sh", "-n", tmp_path / script)


def test_deb_server_runs(packages, tmp_path):
    """The server in the package takes the configuration in it, which is for this machine only."""
    output("dpkg-deb", "-x", packages["gnatwren"], tmp_path)
    conf = tmp_path / "etc" / "gnatwren" / "gnatwren.conf"
    done = subprocess.run([tmp_path / "usr" / "bin" / "gnatwren", "-t", "-c", conf], capture_output=True, text=True)
    assert done.returncode == 0 and "is valid" in done.stderr
    explained = subprocess.run([tmp_path / "usr" / "bin" / "gnatwren", "-t", "--explain", "-c", conf],
                               capture_output=True, text=True).stdout
    assert re.search(r'^host\b.*127\.0\.0\.1', explained, re.MULTILINE)


def test_deb_under_the_known_name(packages):
    """gnatwren-nats-server is nothing but the name, instead of the package of that name."""
    found = content(packages["gnatwren-nats-server"])
    links = {path: link for path, (_, link) in found.items() if link}
    assert links == {"./usr/sbin/nats-server": "../bin/gnatwren", "./usr/share/man/man8/nats-server.8.gz": "../man1/gnatwren.1.gz"}
    assert all(path.startswith("./usr/share/doc/") for path in set(found) - set(links))
    for field in "Provides", "Conflicts", "Replaces":
        assert output("dpkg-deb", "-f", packages["gnatwren-nats-server"], field) == "nats-server\n"


def test_deb_is_reproducible(packages, tmp_path):
    """The same source makes the same packages."""
    build_packages(tmp_path)
    for path in packages.values():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


def test_lintian(packages):
    """Debian's own check finds nothing to warn of."""
    need("lintian")
    if not has_interpreter(Path(gnatwren_binary())):
        pytest.skip("Debian wants no static programs")
    done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", *packages.values()],
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout


# ---- manual pages

@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_man_is_roff(page):
    """groff has nothing to warn of."""
    need("groff")
    assert output("groff", "-ww", "-man", "-Tutf8", page)
    assert page.read_text().isascii()


def test_man_has_all_flags(run):
    """gnatwren(1) has every flag of --help."""
    page = re.sub(r"\\f[BIR]", "", (DIST / "man" / "gnatwren.1").read_text().replace("\\-", "-"))
    flags = re.findall(r"(?<![\w-])-{1,2}\w+", "\n".join(line[:36] for line in run("--help").out.splitlines()))
    assert len(flags) > 50
    assert [flag for flag in flags if not re.search(rf"(?<![\w-]){flag}\b", page)] == []


def test_man_has_all_options():
    """gnatwren.conf(5) has every option of conf/gnatwren.conf."""
    page = (DIST / "man" / "gnatwren.conf.5").read_text()
    options = re.findall(r"^ *#?(\w+):", (ROOT / "conf" / "gnatwren.conf").read_text(), re.MULTILINE)
    assert len(options) > 100
    assert [name for name in options if not re.search(rf"^\\fB(\S*\.)?{name}\\fR", page, re.MULTILINE)] == []


# ---- systemd

@pytest.fixture
def units(tmp_path) -> list[Path]:
    """Our units, for the server under test."""
    for unit in (DIST / "systemd").iterdir():
        (tmp_path / unit.name).write_text(unit.read_text().replace("/usr/bin/gnatwren", gnatwren_binary()))
    return sorted(tmp_path.iterdir())


def test_units_are_valid(units):
    """systemd has nothing to complain of."""
    need("systemd-analyze")
    output("systemd-analyze", "verify", "--man=no", *units)


def test_hardened_unit_is_hardened(units):
    """An exposure of less than 2, of 10."""
    need("systemd-analyze")
    unit = next(path for path in units if path.name == "gnatwren-hardened.service")
    done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--threshold=20", unit], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_hardened_unit_is_the_other_one():
    """But for what hardens it, it is the same service."""
    plain, hardened = ({line for line in (DIST / "systemd" / f"{name}.service").read_text().splitlines()
                        if line and not line.startswith("#")} for name in ("gnatwren", "gnatwren-hardened"))
    assert plain - hardened == {"Description=NATS server", "UMask=0027", "ProtectSystem=full"}


def test_sysusers(tmp_path):
    """The user that the units name."""
    need("systemd-sysusers")
    (tmp_path / "etc").mkdir()
    done = subprocess.run(["systemd-sysusers", "--dry-run", f"--root={tmp_path}", DIST / "sysusers.d" / "gnatwren.conf"],
                          capture_output=True, text=True)
    assert done.returncode == 0 and "'gnatwren'" in done.stdout + done.stderr


# ---- the container image

def test_dockerfile():
    """Paths, arguments and ports of the image are those that people know from nats-server's."""
    lines = (DIST / "Dockerfile").read_text().splitlines()
    image = lines[lines.index("FROM scratch"):]
    assert 'ENTRYPOINT ["/nats-server"]' in image
    assert 'CMD ["--config", "nats-server.conf"]' in image
    assert "EXPOSE 4222 8222 6222" in image
    assert "COPY --from=build /nats-server /nats-server" in image


def test_configuration_of_the_image(run):
    """It is valid, and has the ports."""
    conf = DIST / "docker" / "nats-server.conf"
    assert run("-t", "-c", conf).code == 0
    assert re.findall(r"^\w+: (\d+)$", conf.read_text(), re.MULTILINE) == ["4222", "8222"]


def has_interpreter(path) -> bool:
    """Whether a program needs the dynamic linker: it has a PT_INTERP."""
    data = path.read_bytes()
    offset, = struct.unpack_from("<Q", data, 32)
    size, n = struct.unpack_from("<HH", data, 54)
    return any(struct.unpack_from("<I", data, offset + i * size)[0] == 3 for i in range(n))


def test_static_server(start_server, monkeypatch, tmp_path):
    """`make static`: a server that needs no file but itself; alone in a file system it serves."""
    if not STATIC.exists():
        pytest.skip("not built: make static")
    assert not has_interpreter(STATIC)
    monkeypatch.setenv("GNATWREN_BIN", str(STATIC))
    if os.geteuid() == 0:
        shutil.copy(STATIC, tmp_path / "nats-server")
        launcher = tmp_path / "launcher"
        launcher.write_text(f'#!/bin/sh\nexec chroot {tmp_path} /nats-server "$@"\n')
        launcher.chmod(0o755)
        monkeypatch.setenv("GNATWREN_BIN", str(launcher))
    Client(start_server().port).connect()
