//! The server from outside: real sockets, real TLS, real files.

#[cfg(test)]
mod authorization;
#[cfg(test)]
mod by_hand;
#[cfg(test)]
mod clocks;
#[cfg(test)]
mod commanding;
#[cfg(test)]
mod deleting;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod grouping;
#[cfg(test)]
mod listening;
#[cfg(test)]
mod own_account;
#[cfg(test)]
mod scheduled;
#[cfg(test)]
mod story;
#[cfg(test)]
mod verifying;
#[cfg(test)]
mod whole;
#[cfg(test)]
mod witnessing;
#[cfg(test)]
mod working;
