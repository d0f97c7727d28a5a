//! Hostile and honest files of every format, built here, and what an inspection says of them.

#[cfg(test)]
mod archives;
#[cfg(test)]
mod databases;
#[cfg(test)]
mod gits;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod mails;
#[cfg(test)]
mod marked;
#[cfg(test)]
mod office;
#[cfg(test)]
mod old;
#[cfg(test)]
mod pdfs;
#[cfg(test)]
mod seeds;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod support;
#[cfg(test)]
mod texts;
