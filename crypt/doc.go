// Package crypt is suite 1 (specification to follow).
package crypt
