//! strongroom.
