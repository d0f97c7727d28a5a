//! Compliance as its users meet it: data that holds together, checks that do not flatter.

#[cfg(test)]
mod capabilities;
#[cfg(test)]
mod catalogue;
#[cfg(test)]
mod checks;
#[cfg(test)]
mod guides;
#[cfg(test)]
mod house;
#[cfg(test)]
mod kept;
#[cfg(test)]
mod packs;
#[cfg(test)]
mod reports;
#[cfg(test)]
mod signing;
#[cfg(test)]
mod statuses;
#[cfg(test)]
mod words;
#[cfg(test)]
mod world;
