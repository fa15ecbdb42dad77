//! The layers are a fact, not a wish: every `crate::…` in `src` is held against the table in the docs of `src/lib.rs`.
//!
//! The table there is the only one. Code under `#[cfg(test)]` may import what it likes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A row of the table.
#[derive(Debug)]
struct Layer {
    level: u8,
    module: String,
    may_import: Vec<Import>,
}

/// A module that may be imported, or parts of one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Import {
    module: String,
    /// Only these modules of it; `None` for all.
    only: Option<BTreeSet<String>>,
}

impl Import {
    fn whole(module: &str) -> Self {
        Self { module: module.to_owned(), only: None }
    }
}

/// A path that code names: the module and the first name in it, if there is one.
type Named = (String, Option<String>);

impl Layer {
    fn allows(&self, (module, inner): &Named) -> bool {
        let fits = |import: &Import| {
            import.module == *module
                && import.only.as_ref().is_none_or(|only| inner.as_ref().is_some_and(|i| only.contains(i)))
        };
        self.module == *module || self.may_import.iter().any(fits)
    }
}

/// Reads the table. Words that it does not know are an error, so that a new kind of rule can't go unnoticed.
fn table(lib: &str) -> Vec<Layer> {
    let mut layers: Vec<Layer> = Vec::new();
    for line in lib.lines().filter_map(|line| line.strip_prefix("//! | ")) {
        let cells: Vec<&str> = line.split(" | ").collect();
        let Ok(level) = cells[0].parse() else { continue };
        let module = cells[1].trim_matches(['[', ']', '`']).to_owned();
        let may_import = imports(cells[2], &layers);
        layers.push(Layer { level, module, may_import });
    }
    layers
}

/// "nothing", "everything", "all of the above but a and b", or a list; then perhaps "never c".
fn imports(cell: &str, above: &[Layer]) -> Vec<Import> {
    let (cell, never) = cell.split_once(", never ").unwrap_or((cell, ""));
    let all = || above.iter().map(|layer| layer.module.as_str());
    let except = |except: Vec<&str>| {
        let names = except.iter().copied().chain([never]).filter(|name| !name.is_empty());
        let unknown: Vec<&str> = names.filter(|name| !all().any(|module| module == *name)).collect();
        assert_eq!(unknown, [""; 0], "`{cell}` excepts modules that are not above");
        all().filter(|name| !except.contains(name) && *name != never).map(Import::whole).collect()
    };
    match cell {
        "nothing" => Vec::new(),
        "everything" => except(Vec::new()),
        _ => match cell.strip_prefix("all of the above but ") {
            Some(exceptions) => except(exceptions.split(" and ").collect()),
            None => named(&cell.replace('`', "").parse().expect("a list of modules"))
                .into_iter()
                .fold(Vec::new(), joined),
        },
    }
}

/// Adds a path to a list of imports: `tencent::wire` and `tencent::sign` are one import of two parts.
fn joined(mut imports: Vec<Import>, (module, inner): Named) -> Vec<Import> {
    let only = inner.map(|inner| BTreeSet::from([inner]));
    match imports.iter_mut().find(|import| import.module == module) {
        Some(import) => {
            import.only.as_mut().expect("a module is named once").extend(only.into_iter().flatten());
        }
        None => imports.push(Import { module, only }),
    }
    imports
}

/// The paths of a list like `a, b::{c, d}`.
fn named(list: &TokenStream) -> Vec<Named> {
    let tokens: Vec<TokenTree> = list.clone().into_iter().collect();
    tokens.split(|token| is(token, ',')).flat_map(path).collect()
}

/// The paths of one tree like `a`, `a::b`, `a::{b, c}` or `{a, b::c}`.
fn path(tree: &[TokenTree]) -> Vec<Named> {
    match tree {
        [TokenTree::Group(group), ..] if group.delimiter() == Delimiter::Brace => named(&group.stream()),
        [TokenTree::Ident(module), colon, _, rest @ ..] if is(colon, ':') => {
            let inner: Vec<Option<String>> = match rest.first() {
                Some(TokenTree::Group(group)) => {
                    named(&group.stream()).into_iter().map(|(inner, _)| Some(inner)).collect()
                }
                Some(TokenTree::Ident(inner)) => vec![Some(inner.to_string())],
                Some(TokenTree::Punct(_) | TokenTree::Literal(_)) | None => vec![None],
            };
            inner.into_iter().map(|inner| (module.to_string(), inner)).collect()
        }
        [TokenTree::Ident(module), ..] => vec![(module.to_string(), None)],
        _ => Vec::new(),
    }
}

fn is(token: &TokenTree, punctuation: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == punctuation)
}

/// What one file names, outside of test code.
#[derive(Debug, Default)]
struct Scan {
    /// Paths from the crate's root.
    named: Vec<Named>,
    /// Modules that are only there for tests and have files of their own.
    test_modules: Vec<String>,
}

impl Scan {
    /// `depth` is the number of `super` that lead from this file to the root.
    fn of(text: &str, depth: usize) -> Self {
        let mut scan = Self::default();
        scan.walk(&text.parse().expect("Rust source"), depth);
        scan
    }

    fn walk(&mut self, stream: &TokenStream, depth: usize) {
        let tokens: Vec<TokenTree> = stream.clone().into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            if is_test_attribute(&tokens[at..]) {
                at = self.pass_item(&tokens, at + 2);
                continue;
            }
            let rest = &tokens[at..];
            if let Some(length) = root(rest, depth) {
                let end = rest.iter().position(|token| is(token, ';')).unwrap_or(rest.len());
                self.named.extend(path(&rest[length.min(end)..end]));
                at += length;
            } else {
                if let TokenTree::Group(group) = &tokens[at] {
                    self.walk(&group.stream(), depth);
                }
                at += 1;
            }
        }
    }

    /// Passes over the item behind `#[cfg(test)]`.
    fn pass_item(&mut self, tokens: &[TokenTree], start: usize) -> usize {
        let ends = |token: &TokenTree| {
            is(token, ';')
                || matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
        };
        let end = tokens[start..].iter().position(ends).map_or(tokens.len(), |length| start + length + 1);
        if let [.., TokenTree::Ident(keyword), TokenTree::Ident(name), last] = &tokens[start..end]
            && keyword == "mod"
            && is(last, ';')
        {
            self.test_modules.push(name.to_string());
        }
        end
    }
}

fn is_test_attribute(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [hash, TokenTree::Group(group), ..]
        if is(hash, '#') && group.stream().to_string().replace(' ', "") == "cfg(test)")
}

/// The number of tokens of a prefix that means the crate's root: `crate::`, `pitstop::`, or enough `super::`.
fn root(tokens: &[TokenTree], depth: usize) -> Option<usize> {
    let leads = |at: usize, name: &str| {
        matches!(&tokens[at..], [TokenTree::Ident(ident), colon, other, ..]
            if ident == name && is(colon, ':') && is(other, ':'))
    };
    if leads(0, "crate") || leads(0, "pitstop") {
        return Some(3);
    }
    let supers = (0..depth).take_while(|count| 3 * count < tokens.len() && leads(3 * count, "super")).count();
    (depth > 0 && supers == depth).then_some(3 * supers)
}

/// All `.rs` files under `folder`, sorted.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a source folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The module path of a file: `["plan", "build"]` of `plan/build.rs`, `["plan"]` of `plan/mod.rs`.
fn module_path(file: &Path) -> Vec<String> {
    let mut parts: Vec<String> =
        file.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

#[test]
fn imports_run_one_way() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let layers = table(&fs::read_to_string(src.join("lib.rs")).expect("src/lib.rs"));
    let scans: Vec<(Vec<String>, Scan)> = sources(&src)
        .iter()
        .map(|file| {
            let module = module_path(file.strip_prefix(&src).expect("a file under src"));
            let scan = Scan::of(&fs::read_to_string(file).expect("a source file"), module.len());
            (module, scan)
        })
        .filter(|(module, _)| module != &["lib"])
        .collect();
    let only_tests: Vec<Vec<String>> = scans
        .iter()
        .flat_map(|(module, scan)| {
            scan.test_modules.iter().map(|name| module.iter().chain([name]).cloned().collect())
        })
        .collect();
    let mut wrong = Vec::new();
    for (module, scan) in &scans {
        if only_tests.iter().any(|tests| module.starts_with(tests)) {
            continue;
        }
        // The binary is the command line's last line.
        let top = if module == &["main"] { "cli" } else { &module[0] };
        let Some(layer) = layers.iter().find(|layer| layer.module == top) else {
            wrong.push(format!("`{top}` is not in the table of src/lib.rs"));
            continue;
        };
        for named in scan.named.iter().filter(|named| !layer.allows(named)) {
            let inner = named.1.as_ref().map(|inner| format!("::{inner}")).unwrap_or_default();
            wrong.push(format!(
                "{} names crate::{}{inner}, which `{top}` may not",
                module.join("::"),
                named.0
            ));
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for layer in &layers {
        assert!(scans.iter().any(|(module, _)| module[0] == layer.module), "no `{}` in src", layer.module);
    }
}

#[test]
fn the_table_itself_runs_one_way() {
    let lib = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs");
    let layers = table(&fs::read_to_string(lib).expect("src/lib.rs"));
    assert_eq!(layers.len(), 10, "{layers:?}");
    for layer in &layers {
        for import in &layer.may_import {
            let below =
                layers.iter().find(|below| below.module == import.module).expect("a module of the table");
            assert!(below.level < layer.level, "`{}` may import `{}`", layer.module, below.module);
        }
    }
}

#[test]
fn the_table_is_read_as_it_is_meant() {
    let text = "//! | level | module | may import | what |\n\
                //! | --- | --- | --- | --- |\n\
                //! | 0 | [`a`] | nothing | x |\n\
                //! | 0 | [`b`] | nothing | x |\n\
                //! | 1 | [`c`] | a, `b::{d, e}` | x |\n\
                //! | 2 | [`f`] | all of the above but a and b | x |\n\
                //! | 3 | [`g`] | all of the above but a, never f | x |\n\
                //! | 4 | [`h`] | everything | x |\n";
    let layers = table(text);
    let allows = |layer: usize, module: &str, inner: Option<&str>| {
        layers[layer].allows(&(module.to_owned(), inner.map(str::to_owned)))
    };
    assert!(allows(0, "a", None) && !allows(0, "b", None));
    assert!(allows(2, "a", Some("anything")) && allows(2, "b", Some("d")) && allows(2, "b", Some("e")));
    assert!(!allows(2, "b", None) && !allows(2, "b", Some("z")));
    assert!(allows(3, "c", None) && !allows(3, "a", None) && !allows(3, "b", None));
    assert!(allows(4, "b", None) && !allows(4, "a", None) && !allows(4, "f", None));
    assert!(["a", "b", "c", "f", "g"].iter().all(|module| allows(5, module, None)));
}

#[test]
fn every_way_to_name_a_module_is_seen() {
    let text = r#"
        // use crate::comment;
        pub(crate) use crate::{a, b::{c, d::e}, f::*};
        use crate::g::h::i as j;
        fn one() -> crate::k::l { let text = "crate::text"; assert!(crate::m::n()); super::super::o::p(); super::q() }
        mod inner { use crate::r; }
        #[cfg(test)] mod tests { use crate::s; }
        #[cfg(test)]
        mod fixtures;
        #[cfg(test)] use crate::t;
        use pitstop::u;
    "#;
    let scan = Scan::of(text, 2);
    let named: Vec<String> = scan
        .named
        .iter()
        .map(|(module, inner)| {
            [Some(module), inner.as_ref()].into_iter().flatten().cloned().collect::<Vec<_>>().join("::")
        })
        .collect();
    assert_eq!(named, ["a", "b::c", "b::d", "f", "g::h", "k::l", "m::n", "o::p", "r", "u"]);
    assert_eq!(scan.test_modules, ["fixtures"]);
    assert_eq!(Scan::of("use super::a::b;", 1).named, [("a".to_owned(), Some("b".to_owned()))]);
}
