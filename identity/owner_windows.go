package identity

import "io/fs"

func ownedByOther(fs.FileInfo) bool { return false }
