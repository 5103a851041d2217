//! Every page at three sizes and in three themes, for a person to look at.
