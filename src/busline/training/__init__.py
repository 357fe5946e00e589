"""The one training engine: plan, loop, augmentation, and the pool that runs folds side by side."""
