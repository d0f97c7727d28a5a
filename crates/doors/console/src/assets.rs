//! The stylesheet, the script and the icon: embedded, under names that change with their content.
//!
//! Because a name holds a hash of the content, a browser may keep a file for a year and still never
//! show an old one.

/// One embedded file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asset {
    /// The content.
    pub(crate) text: &'static str,
    /// Its media type.
    pub(crate) media_type: &'static str,
    extension: &'static str,
}

/// The stylesheet.
pub(crate) const STYLE: Asset = Asset {
    text: include_str!("../assets/console.css"),
    media_type: "text/css; charset=utf-8",
    extension: "css",
};

/// The script; every page works without it.
pub(crate) const SCRIPT: Asset = Asset {
    text: include_str!("../assets/console.js"),
    media_type: "text/javascript; charset=utf-8",
    extension: "js",
};

/// The icon of the tab.
pub(crate) const ICON: Asset = Asset {
    text: include_str!("../assets/icon.svg"),
    media_type: "image/svg+xml",
    extension: "svg",
};

impl Asset {
    /// Every asset, for the router.
    pub(crate) const ALL: [Self; 3] = [STYLE, SCRIPT, ICON];

    /// The path under which it is served.
    pub(crate) fn path(&self) -> String {
        format!("/assets/{:016x}.{}", fnv1a(self.text.as_bytes()), self.extension)
    }
}

/// FNV-1a, 64 bits: tells versions of our own files apart; no one attacks a name.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stylesheet is read before anything is shown.
    const STYLE_BYTES_MAX: usize = 20_000;

    #[test]
    fn the_name_follows_the_content() {
        // The published test vector of FNV-1a for "a".
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert!(STYLE.path().starts_with("/assets/") && STYLE.path().ends_with(".css"));
        assert_ne!(STYLE.path(), SCRIPT.path());
    }

    #[test]
    fn the_stylesheet_stays_small_and_asks_for_nothing_outside() {
        assert!(STYLE.text.len() < STYLE_BYTES_MAX);
        for outside in ["url(", "@import", "http:", "https:"] {
            assert!(!STYLE.text.contains(outside), "{outside}");
        }
        assert!(!SCRIPT.text.contains("eval") && !SCRIPT.text.contains("innerHTML"));
    }
}
