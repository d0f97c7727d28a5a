//! What exists and how it relates, with its whole history: the ground that checks stand on.
//!
//! **For:** assets (keys, data stores, clouds, providers, arrangements …), relations between them,
//! where things lie (the table of regions), who knows them and how, imports of the bank's own
//! lists, and the key control map, which is one picture over these facts.
//!
//! **Not for:** finding data (that is `discover`), judging whether what exists is good enough (that
//! is `comply`), the working state of keys (that is `keys`, which publishes facts here).
//!
//! **The way of a fact:** a slice makes a [`Publication`], or a person's file becomes one through
//! [`import::read`] and [`import::plan`]; [`Register::apply`] turns it into new spans of history,
//! all or nothing; [`Inventory`] commits the touched records with their event. Questions are asked
//! of a [`Snapshot`], which is the register as of one instant.
//!
//! **Invariants:** history is only added to, spans of one thing never overlap, and any day can be
//! asked again; a weaker kind of knowledge never overwrites a stronger one; each row of an import
//! is accepted or listed with its reason; a region that the table does not know is not Hong Kong.

mod asset;
mod attributes;
mod error;
mod history;
pub mod import;
mod keep;
mod kind;
mod map;
mod places;
mod publication;
mod records;
mod register;
mod snapshot;

pub use asset::{Asset, AssetRef, AssetRefError, AssetState, Relation, RelationKey};
pub use attributes::{AttributeError, Attributes, Scalar};
pub use error::InventoryError;
pub use history::{HISTORY_SPANS_MAX, History, HistoryFull, Span};
pub use keep::{Declaration, ImportFile, Inventory};
pub use kind::{AssetKind, KnownBy, RelationKind};
pub use map::{Break, KeyControlMap, MapRow, ProtectingKey, Reader, key_control_map};
pub use places::{Place, Region, Regions, RegionsError};
pub use publication::{AssetFact, Publication, RelationFact};
pub use register::{Changes, Prepared, Register, RegisterError};
pub use snapshot::{AssetView, RelationView, Snapshot};
