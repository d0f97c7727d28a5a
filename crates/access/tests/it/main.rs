//! Behaviour of the access room, in one binary.

#[cfg(test)]
mod approvals;
#[cfg(test)]
mod break_glass;
#[cfg(test)]
mod decisions;
#[cfg(test)]
mod enrolment;
#[cfg(test)]
mod groups;
#[cfg(test)]
mod house;
#[cfg(test)]
mod own_proofs;
#[cfg(test)]
mod permissions;
#[cfg(test)]
mod policies;
#[cfg(test)]
mod repeat;
#[cfg(test)]
mod roles;
#[cfg(test)]
mod sign_in;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod totp;
