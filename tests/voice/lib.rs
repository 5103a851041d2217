//! Nothing: this package is its tests and its examples.
