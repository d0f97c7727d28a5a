//! Texts in many hands and formats, with places for values in braces. What stands in a brace and
//! begins with a capital is labelled; what begins with a small letter fills a place.

/// The forms of a file, which `%%` parts; what stands before the first is a note.
fn forms(file: &str) -> Vec<&str> {
    file.split("%%\n").skip(1).collect()
}

/// Documents that hold values.
pub(crate) fn holding() -> Vec<&'static str> {
    forms(include_str!("forms/holding.txt"))
}

/// Texts that hold none of ours.
pub(crate) fn empty() -> Vec<&'static str> {
    forms(include_str!("forms/empty.txt"))
}

/// Files that hold secrets.
pub(crate) fn secrets() -> Vec<&'static str> {
    forms(include_str!("forms/secrets.txt"))
}

/// Files that hold none.
pub(crate) fn no_secrets() -> Vec<&'static str> {
    forms(include_str!("forms/no-secrets.txt"))
}

/// Documents that hold kinds of which the others hold little.
pub(crate) fn further() -> Vec<&'static str> {
    forms(include_str!("forms/further.txt"))
}

/// Texts that hold none of those.
pub(crate) fn further_empty() -> Vec<&'static str> {
    forms(include_str!("forms/further-empty.txt"))
}

/// Tables: how many rows, the header, which may be empty, and the form of a row.
pub(crate) fn tables() -> Vec<(usize, &'static str, &'static str)> {
    tables_of(include_str!("forms/tables.txt"))
}

/// The same of kinds of which the others hold little.
pub(crate) fn further_tables() -> Vec<(usize, &'static str, &'static str)> {
    tables_of(include_str!("forms/further-tables.txt"))
}

fn tables_of(file: &'static str) -> Vec<(usize, &'static str, &'static str)> {
    let table = |form: &'static str| {
        let (rows, rest) = form.split_once('\n').unwrap();
        let (header, _) = rest.split_once('\n').unwrap();
        let (header, row) = rest.split_at(header.len() + 1);
        (rows.parse().unwrap(), header.trim_start_matches('\n'), row)
    };
    forms(file).into_iter().map(table).collect()
}
