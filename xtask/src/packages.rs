//! Debian packages, installed once where that needs no password.

use std::{path::Path, process::Command};

use anyhow::{Context as _, Result, bail};

use crate::shell;

/// Something that a check needs from the system.
pub(crate) struct Need {
    pub(crate) packages: &'static [&'static str],
    /// Completes "Installing …".
    pub(crate) purpose: &'static str,
    /// What goes on without it, and how to ask for that.
    pub(crate) otherwise: &'static str,
}

/// Install what is missing; on other systems say what to install.
pub(crate) fn install(need: &Need) -> Result<()> {
    if !is_debian() {
        println!(
            "This is not Debian: install {} by hand ({}); {}",
            need.packages.join(", "),
            need.purpose,
            need.otherwise
        );
        return Ok(());
    }
    let missing: Vec<&str> = need
        .packages
        .iter()
        .copied()
        .filter(|package| !is_installed(package))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mut install = vec!["apt-get", "install", "-y", "--no-install-recommends"];
    install.extend(&missing);
    let prefix = match as_root() {
        Some(prefix) => prefix,
        None => bail!(
            "{} needs {}, and only root can install packages; run\n  sudo {}\nonce; {}",
            need.purpose,
            missing.join(" and "),
            install.join(" "),
            need.otherwise
        ),
    };
    println!("Installing {} ({})", missing.join(", "), need.purpose);
    apt(prefix, &["apt-get", "update", "-qq"])?;
    apt(prefix, &install)
}

fn is_debian() -> bool {
    Path::new("/etc/debian_version").exists() && shell::succeeds("apt-get", &["--version"])
}

fn is_installed(package: &str) -> bool {
    let query = ["-W", "-f=${Status}", package];
    shell::output(Command::new("dpkg-query").args(query))
        .is_ok_and(|status| status == "install ok installed")
}

/// The words that make a command run as root, if there is a way without a password.
fn as_root() -> Option<&'static [&'static str]> {
    let user = shell::output(Command::new("id").arg("-u")).unwrap_or_default();
    if user.trim() == "0" {
        return Some(&[]);
    }
    shell::succeeds("sudo", &["-n", "true"]).then_some(&["sudo", "-n"])
}

fn apt(prefix: &[&str], words: &[&str]) -> Result<()> {
    let line = [prefix, words].concat();
    let (program, arguments) = line.split_first().context("an empty command line")?;
    // What apt says is only of interest when it fails, and `output` quotes it then.
    shell::output(
        Command::new(program)
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )?;
    Ok(())
}
