//! Small Python packages of our own, built as the wheels that pip takes, without a network.

use std::fs;
use std::path::Path;
use std::process::Command;

/// What makes a wheel of its arguments: folder, version, programs.
const MAKE: &str = r#"
import sys, zipfile
folder, version, *programs = sys.argv[1:]
info = f"tap_tiny-{version}.dist-info"
files = {
    "tap_tiny.py": TAP.replace("VERSION", version),
    f"{info}/METADATA": f"Metadata-Version: 2.1\nName: tap-tiny\nVersion: {version}\n",
    f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    f"{info}/entry_points.txt": "[console_scripts]\n" + "".join(f"{name} = tap_tiny:main\n" for name in programs),
}
files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
with zipfile.ZipFile(f"{folder}/tap_tiny-{version}-py3-none-any.whl", "w") as wheel:
    for name, text in files.items():
        wheel.writestr(zipfile.ZipInfo(name), text)
"#;

/// A tap of one record, with its version in it. Without `--config` it echoes: its arguments, then what it reads.
const TAP: &str = r#"
import json, sys
def main():
    if "--discover" in sys.argv:
        schema = {"type": "object", "properties": {"id": {"type": "integer"}, "version": {"type": "string"}}}
        stream = {"tap_stream_id": "tiny", "stream": "tiny", "schema": schema, "key_properties": ["id"],
            "metadata": [{"breadcrumb": [], "metadata": {"selected": True}}]}
        print(json.dumps({"streams": [stream]}))
    elif "--echo" in sys.argv:
        print(json.dumps(json.load(open(sys.argv[2]))), sys.argv[3:], sys.stdin.read())
        sys.exit(7)
    else:
        schema = {"properties": {"id": {"type": "integer"}, "version": {"type": "string"}}}
        print(json.dumps({"type": "SCHEMA", "stream": "tiny", "schema": schema, "key_properties": ["id"]}))
        print(json.dumps({"type": "RECORD", "stream": "tiny", "record": {"id": 1, "version": "VERSION"}}))
"#;

/// Writes `tap-tiny` of this version, with these programs, into a folder for `PIP_FIND_LINKS`.
pub fn tap_tiny(folder: &Path, version: &str, programs: &[&str]) {
    fs::create_dir_all(folder).expect("a folder for wheels");
    let program = format!("TAP = {}\n{MAKE}", serde_json::json!(TAP));
    let mut make = Command::new("python3");
    make.args(["-c", &program]).arg(folder).arg(version).args(programs);
    let output = make.output().expect("python3: install it (Debian: apt-get install python3 python3-venv)");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
