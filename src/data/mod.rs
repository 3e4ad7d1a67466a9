//! Sources, transforms, splits and the loader.
