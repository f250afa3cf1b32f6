package policy

// TestOnlyNarrowed is narrowed without a pin on disk.
var TestOnlyNarrowed = narrowed
