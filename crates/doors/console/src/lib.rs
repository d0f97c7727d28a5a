//! The web console: pages for people, rendered here, readable with scripts off.
mod answer;
mod assets;
mod cookies;
mod elements;
mod fields;
mod frame;
mod guard;
mod language;
mod pages;
mod picture;
mod qr;
