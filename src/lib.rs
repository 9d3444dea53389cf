//! riser
