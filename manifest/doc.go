// Package manifest is Kubernetes Secrets and sealed Secrets as text.
package manifest
