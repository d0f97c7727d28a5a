//! The kinds of asset and relation, and the ways in which something is known.

kernel::words! {
    /// What a thing of the inventory is.
    AssetKind {
        /// A key under our management or a cloud's own key.
        Key = "key",
        /// A copy of a key somewhere else: imported into a cloud, kept in escrow.
        KeyCopy = "key-copy",
        /// A root that protects keys.
        Root = "root",
        /// A database, bucket, queue or share.
        DataStore = "data-store",
        /// A set of columns that are protected alike.
        ColumnSet = "column-set",
        /// A set of files that are protected alike.
        FileSet = "file-set",
        /// A backup of a data store or of keys.
        Backup = "backup",
        /// An account, subscription or project at a cloud.
        CloudAccount = "cloud-account",
        /// A service that runs.
        Service = "service",
        /// A company that supplies something.
        Provider = "provider",
        /// An application.
        Application = "application",
        /// An endpoint that can be reached.
        Endpoint = "endpoint",
        /// A machine.
        Host = "host",
        /// One outsourcing relationship.
        Arrangement = "arrangement",
        /// The contract of an arrangement.
        Agreement = "agreement",
        /// A certificate: of TLS, or of a provider's management system.
        Certificate = "certificate",
        /// A rehearsal that took place.
        Drill = "drill",
        /// A person, role or group that can read or act.
        Identity = "identity",
    }
}

kernel::words! {
    /// How one thing relates to another; read as `from` *word* `to`.
    RelationKind {
        /// A key protects data or another key.
        Protects = "protects",
        /// Data is stored in a place or account.
        StoredIn = "stored-in",
        /// A thing is operated by a provider or team.
        OperatedBy = "operated-by",
        /// An identity, application or provider reads data.
        Reads = "reads",
        /// A thing does not work without another.
        DependsOn = "depends-on",
        /// A thing is supplied by a provider.
        SuppliedBy = "supplied-by",
        /// A thing is a copy of another.
        CopyOf = "copy-of",
    }
}

kernel::words! {
    /// How something is known, the strongest first. A status is no stronger than its weakest input.
    KnownBy {
        /// We operate the control and saw it ourselves.
        Observed = "observed",
        /// A system's interface told us.
        Reported = "reported",
        /// A named role signed it, with date and expiry.
        Attested = "attested",
        /// Typed or imported.
        Declared = "declared",
    }
}

impl KnownBy {
    /// The weaker of two kinds of knowledge.
    #[must_use]
    pub fn weaker(self, other: Self) -> Self {
        self.max(other)
    }

    /// Whether this is stronger than `other`.
    #[must_use]
    pub fn is_stronger_than(self, other: Self) -> bool {
        self < other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for kind in AssetKind::ALL {
            assert_eq!(AssetKind::from_word(kind.word()), Some(*kind));
            let json = serde_json::to_string(kind).unwrap();
            assert_eq!(json, format!("\"{kind}\""));
        }
        assert_eq!(RelationKind::from_word("stored-in"), Some(RelationKind::StoredIn));
        assert_eq!(AssetKind::from_word("Key"), None);
    }

    #[test]
    fn what_was_observed_is_stronger_than_what_was_declared() {
        assert!(KnownBy::Observed.is_stronger_than(KnownBy::Declared));
        assert_eq!(KnownBy::Observed.weaker(KnownBy::Reported), KnownBy::Reported);
    }
}
