//! What the README says must be so.
#![cfg(feature = "cli")]

use std::path::Path;
use std::process::Command;

#[test]
fn the_readme_lists_the_catalogue() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let (_, rest) = readme.split_once("<!-- providers -->\n").expect("README.md has the line <!-- providers -->");
    let (table, _) = rest.split_once("<!-- /providers -->").expect("README.md has the line <!-- /providers -->");
    let written = Command::new(env!("CARGO_BIN_EXE_dragoman")).args(["providers", "--markdown"]).output().unwrap();
    let written = String::from_utf8(written.stdout).unwrap();
    assert_eq!(
        table.trim(),
        written.trim(),
        "between the markers must stand what `dragoman providers --markdown` prints"
    );
}
