//! Every kernel against its scalar oracle, in every profile that the adapter offers.

mod devices;
mod linear;
mod sources;
