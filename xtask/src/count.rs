//! Adds up what the test runners say about themselves.

/// Tests that passed, failed and were skipped.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Count {
    /// Reads the closing lines of a runner's output: Rust's `test result: ok. 3 passed; …` and our
    /// own `3 passed, 0 failed, 1 skipped`.
    pub(crate) fn read(output: &str) -> Self {
        output.lines().map(str::trim).filter_map(Self::of_line).fold(Self::default(), Self::plus)
    }

    /// The sum.
    pub(crate) const fn plus(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }

    fn of_line(line: &str) -> Option<Self> {
        let (parts, rust) = line
            .strip_prefix("test result: ")
            .map_or((line, false), |rest| (rest.split_once(". ").map_or(rest, |p| p.1), true));
        let mut count = Self::default();
        let mut seen = 0;
        for part in parts.split(if rust { ';' } else { ',' }) {
            let (number, word) = part.trim().split_once(' ')?;
            let number: u64 = match number.parse() {
                Ok(number) => number,
                Err(_) if rust => continue,
                Err(_) => return None,
            };
            match word {
                "passed" => (count.passed, seen) = (number, seen + 1),
                "failed" => (count.failed, seen) = (number, seen + 1),
                "ignored" | "skipped" => count.skipped = number,
                _ if rust => {}
                _ => return None,
            }
        }
        (seen == 2).then_some(count)
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_runners_are_added_up() {
        let output = "running 2 tests\n\
            test result: ok. 2 passed; 1 failed; 3 ignored; 0 measured; 0 filtered out; \
            finished in 0.00s\n\
            5 passed, 0 failed, 2 skipped\nall 7 passed, hooray\n1 passed, 0 failed";
        assert_eq!(Count::read(output), Count { passed: 8, failed: 1, skipped: 5 });
    }

    #[test]
    fn prose_is_not_counted() {
        assert_eq!(Count::read("3 apples passed, 2 failed to please"), Count::default());
    }
}
