//! The web console: pages for people, rendered here, readable with scripts off.
mod assets;
mod elements;
mod frame;
mod language;
mod pages;
mod picture;
mod qr;
