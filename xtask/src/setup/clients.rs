//! The environments of foreign clients: programs of other makes that the tests drive unmodified.
//!
//! A client is a folder below `tests/clients`, and what stands in the folder says what the client needs:
//!
//! - `package.json`, with `package-lock.json` and `.npmrc`: node packages, which go into `node_modules` in the same folder
//! - `requirements.txt`, with every package pinned: a Python with these packages, which goes into `.venv` in the same folder
//! - `wheels.txt`, pinned likewise: packages of Python of which a client needs the files alone, such as the pages of a web interface.
//!   Their files go into `.venv/wheels`, and whether this machine's Python could run them is of no interest
//!
//! No two clients share an environment, so each may need its own version of a package.
//! An environment that is there and unchanged is left alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::INSTALL;
use crate::step::{output_of, run_apart};

const FOLDER: &str = "tests/clients";

const KINDS: &[Kind] = &[Kind::Node, Kind::Python, Kind::Wheels];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Node,
    Python,
    /// In the place of `Python`: both stand in `.venv`.
    Wheels,
}

impl Kind {
    /// The file that a client of this kind has.
    fn mark(self) -> &'static str {
        match self {
            Self::Node => "package.json",
            Self::Python => "requirements.txt",
            Self::Wheels => "wheels.txt",
        }
    }
}

/// What one client needs, and where it goes.
#[derive(Debug)]
pub(super) struct Environment {
    kind: Kind,
    client: String,
    folder: PathBuf,
}

/// The environments of all clients, in the order of their names.
pub(super) fn find(root: &Path) -> Result<Vec<Environment>> {
    let mut found = Vec::new();
    let entries = fs::read_dir(root.join(FOLDER))
        .with_context(|| format!("could not look for clients in {FOLDER}"))?;
    for entry in entries {
        let folder = entry?.path();
        if !folder.is_dir() {
            continue;
        }
        let before = found.len();
        let name = folder.file_name().unwrap_or_default();
        let client = name.to_string_lossy().into_owned();
        let kinds = KINDS.iter().copied();
        let environments = kinds.filter(|kind| folder.join(kind.mark()).exists());
        found.extend(environments.map(|kind| Environment {
            kind,
            client: client.clone(),
            folder: folder.clone(),
        }));
        ensure!(
            found.len() > before,
            "{FOLDER}/{client} has neither package.json nor requirements.txt: remove the folder, or add what its client needs"
        );
        let has = |kind: Kind| found[before..].iter().any(|it| it.kind == kind);
        ensure!(
            !(has(Kind::Python) && has(Kind::Wheels)),
            "{FOLDER}/{client} has both requirements.txt and wheels.txt: make two folders of it"
        );
    }
    found.sort_by(|one, other| one.client.cmp(&other.client));
    Ok(found)
}

impl Environment {
    pub(super) fn name(&self) -> String {
        let what = match self.kind {
            Kind::Node => "node packages",
            Kind::Python => "python packages",
            Kind::Wheels => "files of wheels",
        };
        format!("{what} of {}", self.client)
    }

    /// Makes it, unless it is there already. What the installers print goes to the file `output`.
    pub(super) fn make(&self, output: &Path) -> Result<()> {
        match self.kind {
            Kind::Node => self.install_node_packages(output),
            Kind::Python => self.install_python_packages(output),
            Kind::Wheels => self.extract_wheels(output),
        }
    }

    fn install_node_packages(&self, output: &Path) -> Result<()> {
        check_npmrc(&self.read(".npmrc")?)?;
        check_lock(&self.read("package-lock.json")?)?;
        let inputs = [".npmrc", "package.json", "package-lock.json"];
        let stamp = self.stamp(&inputs, "")?;
        let modules = self.folder.join("node_modules");
        if stamp.is_in(&modules) {
            return Ok(());
        }
        let advice = || {
            let client = &self.client;
            format!("it needs npm (apt-get install npm); by hand: npm ci in {FOLDER}/{client}")
        };
        // It empties the folder first, so a stamp is there only with a complete installation.
        let mut install = Command::new("npm");
        install.args(["ci", "--no-progress", "--loglevel=error"]);
        run_apart(&mut install, &self.folder, INSTALL, output).with_context(advice)?;
        stamp.put_into(&modules)
    }

    fn install_python_packages(&self, output: &Path) -> Result<()> {
        self.make_venv(output, |pip| {
            let mut install = pip();
            install.args(["install", "--quiet", "--no-deps"]);
            install.args(["--requirement", "requirements.txt"]);
            // Every package is pinned by name, those that others need too; the check says if one was forgotten.
            let mut check = pip();
            check.arg("check");
            vec![install, check]
        })
    }

    fn extract_wheels(&self, output: &Path) -> Result<()> {
        self.make_venv(output, |pip| {
            let mut install = pip();
            install.args(["install", "--quiet", "--no-deps", "--no-compile"]);
            install.args(["--ignore-requires-python", "--only-binary", ":all:"]);
            install.args(["--target", ".venv/wheels", "--requirement", "wheels.txt"]);
            vec![install]
        })
    }

    /// Makes a new Python of the client's own, and runs what its `pip` is to do.
    fn make_venv(
        &self,
        output: &Path,
        work: impl FnOnce(&dyn Fn() -> Command) -> Vec<Command>,
    ) -> Result<()> {
        let list = self.kind.mark();
        check_pinned(list, &self.read(list)?)?;
        let version = output_of(Command::new("python3").arg("--version")).unwrap_or_default();
        let stamp = self.stamp(&[list], &version)?;
        let venv = self.folder.join(".venv");
        if stamp.is_in(&venv) {
            return Ok(());
        }
        let run = |command: &mut Command| run_apart(command, &self.folder, INSTALL, output);
        run(Command::new("python3").args(["-m", "venv", "--clear", ".venv"]))
            .context("apt-get install python3-venv may help")?;
        let pip = || {
            let mut pip = Command::new(venv.join("bin/python"));
            pip.args(["-m", "pip", "--disable-pip-version-check", "--no-input"]);
            pip
        };
        work(&pip).iter_mut().try_for_each(run)?;
        stamp.put_into(&venv)
    }

    fn read(&self, file: &str) -> Result<String> {
        let path = self.folder.join(file);
        fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))
    }

    fn stamp(&self, files: &[&str], also: &str) -> Result<Stamp> {
        let mut text = also.to_owned();
        for file in files {
            text += &self.read(file)?;
        }
        Ok(Stamp(text))
    }
}

/// npm would otherwise write into the lock file which registry it had asked.
fn check_npmrc(npmrc: &str) -> Result<()> {
    let setting = "omit-lockfile-registry-resolved=true";
    ensure!(
        npmrc.lines().any(|line| line.trim() == setting),
        ".npmrc has no line {setting}"
    );
    Ok(())
}

/// A lock file says what is installed, by version and digest, and leaves open from where.
fn check_lock(lock: &str) -> Result<()> {
    let address = lock
        .lines()
        .find(|line| line.trim().starts_with(r#""resolved": "http"#));
    if let Some(line) = address {
        bail!("package-lock.json names a registry: {}", line.trim());
    }
    Ok(())
}

fn check_pinned(list: &str, requirements: &str) -> Result<()> {
    let lines = requirements.lines().map(str::trim);
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        ensure!(
            is_pinned(line),
            "{list} does not pin `{line}`: write NAME==VERSION"
        );
    }
    Ok(())
}

fn is_pinned(requirement: &str) -> bool {
    let is_word = |text: &str, also: &str| {
        let mut characters = text.chars();
        !text.is_empty() && characters.all(|it| it.is_ascii_alphanumeric() || also.contains(it))
    };
    requirement
        .split_once("==")
        .is_some_and(|(name, version)| is_word(name, "-_.") && is_word(version, ".+!"))
}

/// What an environment was made from, kept inside it: the files themselves, so there is nothing to hash.
struct Stamp(String);

impl Stamp {
    const FILE: &str = ".made-from";

    fn is_in(&self, folder: &Path) -> bool {
        fs::read_to_string(folder.join(Self::FILE)).is_ok_and(|text| text == self.0)
    }

    fn put_into(&self, folder: &Path) -> Result<()> {
        let path = folder.join(Self::FILE);
        fs::write(&path, &self.0).with_context(|| format!("could not write {}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder that is removed with its owner.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let name = format!("xtask-clients-{name}-{}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            fs::create_dir_all(&folder).expect("a temporary folder");
            Self(folder)
        }

        fn write(&self, file: &str, text: &str) {
            let path = self.0.join(file);
            let folder = path.parent().expect("it is below the folder");
            fs::create_dir_all(folder).expect("it can be made");
            fs::write(path, text).expect("it can be written");
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            // A test that fails leaves nothing behind either.
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_client_is_a_folder_and_its_files_say_what_it_needs() {
        let root = Scratch::new("found");
        root.write("tests/clients/zebra/requirements.txt", "");
        root.write("tests/clients/both/requirements.txt", "");
        root.write("tests/clients/both/package.json", "{}");
        root.write("tests/clients/ant/package.json", "{}");
        root.write("tests/clients/page/package.json", "{}");
        root.write("tests/clients/page/wheels.txt", "");
        root.write("tests/clients/README.md", "no client");

        let found = find(&root.0).expect("all have what says what they need");
        let names: Vec<String> = found.iter().map(Environment::name).collect();

        assert_eq!(
            names,
            [
                "node packages of ant",
                "node packages of both",
                "python packages of both",
                "node packages of page",
                "files of wheels of page",
                "python packages of zebra",
            ]
        );
    }

    #[test]
    fn a_folder_that_needs_nothing_is_not_passed_over() {
        let root = Scratch::new("empty");
        root.write("tests/clients/idle/main.py", "");
        let error = find(&root.0).expect_err("it has neither").to_string();
        assert!(
            error.starts_with("tests/clients/idle has neither"),
            "{error}"
        );
    }

    #[test]
    fn a_client_with_a_python_and_wheels_is_refused() {
        let root = Scratch::new("two-in-one");
        root.write("tests/clients/page/requirements.txt", "");
        root.write("tests/clients/page/wheels.txt", "");
        let error = find(&root.0).expect_err("both go into one folder");
        assert_eq!(
            error.to_string(),
            "tests/clients/page has both requirements.txt and wheels.txt: make two folders of it"
        );
    }

    #[test]
    fn a_changed_file_makes_an_environment_stale() {
        let folder = Scratch::new("stamp");
        let environment = Environment {
            kind: Kind::Node,
            client: "one".to_owned(),
            folder: folder.0.clone(),
        };
        let stamp = || environment.stamp(&["lock"], "").expect("the file is there");
        folder.write("lock", "1");
        assert!(!stamp().is_in(&folder.0));

        stamp().put_into(&folder.0).expect("it can be written");
        assert!(stamp().is_in(&folder.0));

        folder.write("lock", "2");
        assert!(!stamp().is_in(&folder.0));
    }

    #[test]
    fn an_environment_that_is_not_pinned_is_refused_before_anything_is_installed() {
        let folder = Scratch::new("refused");
        folder.write("requirements.txt", "h11==0.16.0\nwsproto>=1\n");
        folder.write(".npmrc", "audit=false\n");
        let make = |kind| {
            let environment = Environment {
                kind,
                client: "one".to_owned(),
                folder: folder.0.clone(),
            };
            let error = environment.make(&folder.0.join("output"));
            error.expect_err("it is not pinned").to_string()
        };

        assert_eq!(
            make(Kind::Python),
            "requirements.txt does not pin `wsproto>=1`: write NAME==VERSION"
        );
        assert_eq!(
            make(Kind::Node),
            ".npmrc has no line omit-lockfile-registry-resolved=true"
        );
        assert!(!folder.0.join(".venv").exists());
    }

    #[test]
    fn only_a_name_with_one_version_is_pinned() {
        for pinned in ["h11==0.16.0", "Zope.Interface==6.0rc1", "torch==2.1+cpu"] {
            assert!(is_pinned(pinned), "{pinned}");
        }
        for open in [
            "h11",
            "h11>=0.16",
            "h11==0.*",
            "h11==",
            "==1",
            "h11==1,<2",
            "--index-url https://registry.example.org",
            "h11 @ https://registry.example.org/h11.whl",
        ] {
            assert!(!is_pinned(open), "{open}");
        }
    }

    #[test]
    fn a_lock_file_that_names_a_registry_is_refused() {
        let lock = |entry: &str| format!("{{\n  \"a\": {{\n    {entry},\n    \"x\": 1\n  }}\n}}\n");
        check_lock(&lock(r#""version": "1.0.0""#)).expect("it names none");
        check_lock(&lock(r#""url": "https://example.org/funding""#)).expect("it names none");
        let entry = r#""resolved": "https://registry.example.org/a.tgz""#;
        let error = check_lock(&lock(entry)).expect_err("it names one");
        assert_eq!(
            error.to_string(),
            format!("package-lock.json names a registry: {entry},")
        );
    }
}
