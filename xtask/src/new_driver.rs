//! `cargo xtask new-driver NAME`: a crate for a driver of one's own, with a passing test, linked in.
//!
//! It copies `drivers/template`, a crate like any other, under another name: so what it writes is compiled and tested with everything else.
//! All is checked and made in memory first. What fails afterwards is taken back, so there is a whole driver or none.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

/// The driver that is copied, and the names in it that change.
const TEMPLATE: Names<'static> = Names {
    id: "template",
    package: "driver-template",
    krate: "driver_template",
    driver: "Template",
};

/// The files of the template, below its folder.
const FILES: &[&str] = &["Cargo.toml", "README.md", "src/lib.rs"];

/// What stands below `drivers` and is no driver, and a word that Rust keeps for itself.
const TAKEN: &[&str] = &["python", "registry", "sdk", "types", "self"];

/// The longest name: it is part of a crate's name, and of every line of a log.
const NAME_MAX_BYTES: usize = 40;

/// The names of one driver: `demo_light`, `driver-demo-light`, `driver_demo_light`, `DemoLight`.
struct Names<'n> {
    /// What a building file calls it, which is also the folder's name.
    id: &'n str,
    package: &'n str,
    krate: &'n str,
    driver: &'n str,
}

/// A file as it shall be.
struct Planned {
    path: PathBuf,
    text: String,
}

pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<()> {
    let [name] = arguments else {
        bail!("new-driver takes one argument, the name of the driver, such as demo_light");
    };
    make(root, name)?;
    let package = package_of(name);
    println!(
        "drivers/{name} is a driver that is linked in, with a test that passes.\n\
         \n\
         1. cargo test -p {package}\n\
         2. put your device in the place of the thermometer in drivers/{name}/src/lib.rs;\n   \
            the documentation of drivers/sdk/src/lib.rs has the attributes, settings, transports and the test kit\n\
         3. say in drivers/{name}/README.md what its functions, statuses and settings are, and link to it from docs/building.md\n\
         4. in a building file it is driver: {name}"
    );
    Ok(())
}

/// Makes the driver below `root`: the crate, and its two lines in the registry.
fn make(root: &Path, name: &str) -> Result<()> {
    check_name(name)?;
    let package = package_of(name);
    let (krate, driver) = (package.replace('-', "_"), camel_case(name));
    let names = Names {
        id: name,
        package: &package,
        krate: &krate,
        driver: &driver,
    };
    let drivers = root.join("drivers");
    let folder = drivers.join(name);
    ensure!(
        fs::symlink_metadata(&folder).is_err(),
        "drivers/{name} is there already; take another name or remove it"
    );

    let template = drivers.join(TEMPLATE.id);
    let files = FILES.iter().map(|file| {
        let text = renamed(&read(&template.join(file))?, &names);
        let text = match *file {
            "Cargo.toml" => described(&text, name)?,
            "src/lib.rs" => without_second_paragraph(&text),
            _ => text,
        };
        Ok(Planned {
            path: folder.join(file),
            text,
        })
    });
    let files = files.collect::<Result<Vec<Planned>>>()?;

    let manifest = drivers.join("registry/Cargo.toml");
    let list = drivers.join("registry/src/lib.rs");
    let changed = [
        Planned {
            text: linked(&read(&manifest)?, &names)?,
            path: manifest,
        },
        Planned {
            text: listed(&read(&list)?, &names)?,
            path: list,
        },
    ];
    write_all(&folder, &files, &changed)
}

/// Refuses what cannot be a driver's id, a folder and part of a crate's name at once.
fn check_name(name: &str) -> Result<()> {
    let words = name.split('_');
    let is_plain = |word: &str| {
        let mut bytes = word.bytes();
        bytes
            .next()
            .is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let is_good = name.len() <= NAME_MAX_BYTES
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && words.into_iter().all(is_plain);
    ensure!(
        is_good,
        "a driver's name has a-z, 0-9 and single _ between them, begins with a letter and has at most {NAME_MAX_BYTES} characters, such as demo_light; {name:?} does not"
    );
    ensure!(
        !TAKEN.contains(&name),
        "{name} is no name for a driver: it stands for something else; take another"
    );
    Ok(())
}

fn package_of(name: &str) -> String {
    format!("driver-{}", name.replace('_', "-"))
}

/// `demo_light` as `DemoLight`.
fn camel_case(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    });
    words.collect()
}

/// The text of the template with the names of the new driver.
fn renamed(text: &str, names: &Names<'_>) -> String {
    // The longer names first: the id is a part of them.
    let text = text.replace(TEMPLATE.package, names.package);
    let text = text.replace(TEMPLATE.krate, names.krate);
    let text = text.replace(TEMPLATE.driver, names.driver);
    text.replace(TEMPLATE.id, names.id)
}

/// The manifest with a description of its own.
fn described(manifest: &str, name: &str) -> Result<String> {
    let mut found = false;
    let lines = manifest.lines().map(|line| {
        if line.starts_with("description = ") {
            found = true;
            format!("description = \"The driver {name}\"\n")
        } else {
            format!("{line}\n")
        }
    });
    let text = lines.collect();
    ensure!(found, "the manifest of drivers/template has no description");
    Ok(text)
}

/// The source without what its documentation says about being a template: all but the first paragraph.
fn without_second_paragraph(source: &str) -> String {
    let mut lines = source.lines();
    let first = lines.next().unwrap_or_default();
    let rest = lines.skip_while(|line| line.starts_with("//!"));
    let lines = std::iter::once(first).chain(rest);
    lines.map(|line| format!("{line}\n")).collect()
}

/// The registry's manifest with the crate among its drivers, in the order of the alphabet.
fn linked(manifest: &str, names: &Names<'_>) -> Result<String> {
    let line = format!("{} = {{ path = \"../{}\" }}", names.package, names.id);
    let is_driver = |line: &str| line.starts_with("driver-") && line.contains("path = ");
    inserted(manifest, &line, is_driver)
        .context("could not add the driver to drivers/registry/Cargo.toml")
}

/// The registry's list with the driver, in the order of the alphabet.
fn listed(source: &str, names: &Names<'_>) -> Result<String> {
    let line = format!("        {}::{}::DEFINITION,", names.krate, names.driver);
    let is_driver =
        |line: &str| line.starts_with("        driver_") && line.ends_with("::DEFINITION,");
    inserted(source, &line, is_driver)
        .context("could not add the driver to drivers/registry/src/lib.rs")
}

/// The text with a line before the first of its kind that comes after it in the alphabet, else behind the last.
fn inserted(text: &str, new: &str, is_kind: impl Fn(&str) -> bool) -> Result<String> {
    let lines: Vec<&str> = text.lines().collect();
    let same_driver = |line: &str| line.split(['=', ':']).next() == new.split(['=', ':']).next();
    let kind = || lines.iter().enumerate().filter(|(_, line)| is_kind(line));
    ensure!(
        !kind().any(|(_, line)| same_driver(line)),
        "it has a line for that driver already: {}",
        new.trim()
    );
    let later = kind().find(|(_, line)| **line > new).map(|(at, _)| at);
    let last = kind().last().map(|(at, _)| at + 1);
    let at = later
        .or(last)
        .context("there is no driver to stand beside")?;
    let (before, after) = lines.split_at(at);
    let lines = before.iter().chain([&new]).chain(after);
    Ok(lines.map(|line| format!("{line}\n")).collect())
}

/// Writes the new files, then the changed ones; after a failure all is as it was.
fn write_all(folder: &Path, new: &[Planned], changed: &[Planned]) -> Result<()> {
    let originals = changed.iter().map(|file| Ok((file, read(&file.path)?)));
    let originals = originals.collect::<Result<Vec<_>>>()?;
    // Fails if another one has made it meanwhile, whose folder it then is.
    fs::create_dir(folder).with_context(|| format!("could not make {}", folder.display()))?;
    let written = new.iter().chain(changed).try_for_each(write);
    if written.is_err() {
        let mut left = Vec::new();
        for (file, text) in originals {
            if fs::write(&file.path, text).is_err() {
                left.push(file.path.display().to_string());
            }
        }
        if fs::remove_dir_all(folder).is_err() {
            left.push(folder.display().to_string());
        }
        if !left.is_empty() {
            let left = left.join(", ");
            return written
                .with_context(|| format!("could not take all of it back: look at {left}"));
        }
    }
    written
}

/// Writes a file beside its place and then puts it there, so that half of one is never seen.
fn write(file: &Planned) -> Result<()> {
    let Planned { path, text } = file;
    let beside = path.with_extension("new");
    let work = || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::File::create(&beside)?.write_all(text.as_bytes())?;
        fs::rename(&beside, path)
    };
    let done = work();
    if done.is_err() {
        // It may not be there at all.
        let _ = fs::remove_file(&beside);
    }
    done.with_context(|| format!("could not write {}", path.display()))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// The parts of the project that the task reads and writes, copied; removed with it.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new() -> Self {
            static COUNT: AtomicU32 = AtomicU32::new(0);
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let name = format!("xtask-new-driver-{}-{number}", std::process::id());
            let scratch = Self(std::env::temp_dir().join(name));
            for folder in ["drivers/template", "drivers/registry"] {
                for file in FILES {
                    let to = scratch.0.join(folder).join(file);
                    fs::create_dir_all(to.parent().unwrap()).unwrap();
                    // The registry has no README.
                    if let Ok(text) = fs::read_to_string(project().join(folder).join(file)) {
                        fs::write(to, text).unwrap();
                    }
                }
            }
            scratch
        }

        fn text(&self, path: &str) -> String {
            read(&self.0.join(path)).unwrap()
        }

        /// Every file with its text.
        fn all(&self) -> Vec<(PathBuf, String)> {
            let mut found = Vec::new();
            let mut folders = vec![self.0.clone()];
            while let Some(folder) = folders.pop() {
                for entry in fs::read_dir(folder).unwrap() {
                    let path = entry.unwrap().path();
                    if path.is_dir() {
                        folders.push(path);
                    } else {
                        found.push((path.clone(), read(&path).unwrap()));
                    }
                }
            }
            found.sort();
            found
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn project() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
    }

    #[test]
    fn a_driver_is_the_template_under_its_own_name() {
        let scratch = Scratch::new();
        make(&scratch.0, "demo_light").unwrap();
        let manifest = scratch.text("drivers/demo_light/Cargo.toml");
        assert!(
            manifest.contains("name = \"driver-demo-light\"\n"),
            "{manifest}"
        );
        assert!(
            manifest.contains("description = \"The driver demo_light\"\n"),
            "{manifest}"
        );
        let source = scratch.text("drivers/demo_light/src/lib.rs");
        assert!(
            source.starts_with(
                "//! The driver `demo_light`: a thermometer that is its own device.\n\nuse "
            ),
            "{source}"
        );
        assert!(
            source
                .contains("#[driver(id = \"demo_light\", name = \"DemoLight\")]\nimpl DemoLight {")
        );
        let readme = scratch.text("drivers/demo_light/README.md");
        assert!(readme.starts_with("# demo_light\n"), "{readme}");
        for text in [manifest, source, readme] {
            assert!(!text.to_lowercase().contains("template"), "{text}");
        }
    }

    #[test]
    fn a_driver_is_linked_in_where_the_alphabet_puts_it() {
        for name in ["aaa", "demo_light", "zzz"] {
            let scratch = Scratch::new();
            let package = package_of(name);
            let before = scratch.text("drivers/registry/src/lib.rs");
            make(&scratch.0, name).unwrap();

            let manifest = scratch.text("drivers/registry/Cargo.toml");
            let line = format!("{package} = {{ path = \"../{name}\" }}");
            assert_eq!(manifest.matches(&line).count(), 1, "{manifest}");
            let (_, drivers) = manifest.split_once("[dependencies]\n").unwrap();
            assert!(drivers.lines().is_sorted(), "{manifest}");

            let list = scratch.text("drivers/registry/src/lib.rs");
            let line = format!(
                "        {}::{}::DEFINITION,\n",
                package.replace('-', "_"),
                camel_case(name)
            );
            assert_eq!(list.replace(&line, ""), before);
            let drivers = list.lines().filter(|line| line.ends_with("::DEFINITION,"));
            assert!(drivers.is_sorted(), "{list}");
        }
    }

    #[test]
    fn a_name_that_cannot_be_a_crate_or_is_taken_is_refused_and_nothing_changes() {
        let scratch = Scratch::new();
        let before = scratch.all();
        let long = "a".repeat(NAME_MAX_BYTES + 1);
        for name in [
            "", "Lamp", "1lamp", "_lamp", "lamp_", "la__mp", "la-mp", "la mp", "lämp", "../lamp",
            "a/b", ".", &long,
        ] {
            let error = make(&scratch.0, name).unwrap_err().to_string();
            assert!(
                error.starts_with("a driver's name has a-z, 0-9"),
                "{name}: {error}"
            );
        }
        for name in TAKEN {
            let error = make(&scratch.0, name).unwrap_err().to_string();
            assert!(error.contains("take another"), "{name}: {error}");
        }
        let error = make(&scratch.0, "template").unwrap_err().to_string();
        assert_eq!(
            error,
            "drivers/template is there already; take another name or remove it"
        );
        assert_eq!(scratch.all(), before);
    }

    #[test]
    fn a_driver_that_the_registry_knows_already_is_refused_and_nothing_changes() {
        let scratch = Scratch::new();
        make(&scratch.0, "lamp").unwrap();
        fs::remove_dir_all(scratch.0.join("drivers/lamp")).unwrap();
        let before = scratch.all();
        let error = format!("{:#}", make(&scratch.0, "lamp").unwrap_err());
        assert_eq!(
            error,
            "could not add the driver to drivers/registry/Cargo.toml: it has a line for that driver already: driver-lamp = { path = \"../lamp\" }"
        );
        assert_eq!(scratch.all(), before);
    }

    #[test]
    fn what_cannot_be_finished_is_taken_back() {
        let scratch = Scratch::new();
        let before = scratch.all();
        // A folder where the second file of the registry is written beside its place.
        let hindrance = scratch.0.join("drivers/registry/src/lib.new");
        fs::create_dir(&hindrance).unwrap();
        let error = format!("{:#}", make(&scratch.0, "lamp").unwrap_err());
        assert!(error.starts_with("could not write "), "{error}");
        assert!(!scratch.0.join("drivers/lamp").exists());
        fs::remove_dir(&hindrance).unwrap();
        assert_eq!(scratch.all(), before);
    }

    #[test]
    fn a_name_is_needed_and_no_more() {
        for arguments in [&[][..], &["a".to_owned(), "b".to_owned()]] {
            let error = run(Path::new("."), arguments).unwrap_err().to_string();
            assert!(
                error.starts_with("new-driver takes one argument"),
                "{error}"
            );
        }
    }

    #[test]
    fn the_tutorial_shows_what_new_driver_makes() {
        let tutorial = read(&project().join("docs/writing-a-driver.md")).unwrap();
        let scratch = Scratch::new();
        make(&scratch.0, "thermometer").unwrap();
        let source = scratch.text("drivers/thermometer/src/lib.rs");
        let blocks: Vec<&str> = tutorial
            .split("```rust\n")
            .skip(1)
            .filter_map(|rest| rest.split("```").next())
            .collect();
        assert_eq!(blocks.len(), 2);
        for block in blocks {
            assert!(
                source.contains(block),
                "not in the driver that is made:\n{block}"
            );
        }
    }
}
