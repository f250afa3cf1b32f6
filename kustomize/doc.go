// Package kustomize is what a build does: it runs kustomize in this process over a filesystem of placeholders and puts
// the values in at the end.
//
// # How a build runs
//
//  1. A filesystem serves each sealed manifest as a native Secret, or under "generators:" as a builtin SecretGenerator,
//     in which every value is a placeholder: 30 random-looking bytes that are fresh in every build. It knows from the
//     kustomizations it served how each file is used, and refuses to serve a sealed manifest for any other use. A
//     sealed file is served to a secretGenerator alone: as a placeholder, or as a dotenv of placeholders, for which it
//     has to be opened at once, since its keys are inside. Any other age file there fails the build.
//  2. While kustomize runs, the documents that were served are opened in parallel.
//  3. In the result every placeholder must be a whole data value of the Secret its value is bound to: namespace and key
//     equal, the name one that prefixes, suffixes and the content hash of this tree make of the bound name. A
//     placeholder or one of its marks anywhere else, raw or encoded, fails the build. So does ciphertext that is left,
//     and a Secret that Kubernetes would not take: errors about such a one quote it, with its values.
//  4. Name hashes, computed by kustomize over placeholders, are computed again over the values and rewritten wherever
//     kustomize wrote them; the order is redone. The result is byte for byte what "kustomize build" makes of the
//     plaintext tree with all values under data.
//  5. Only then is there a result. On any fault there is none.
//
// A redacted build (Options.Redact) takes the same way, checks and all, with a value made from the ciphertext in the place of
// the one that would be opened in step 2. It needs no identity, and every Secret with such a value says so.
//
// # Decrypters
//
// A Decrypter is configuration of a generator, for stock kustomize: a list of files that hold sealed manifests. This
// package reads it, for plugin, and in a build it stands for the generators of all that it lists. Inspect reads, without a
// build, which files the kustomizations of a repository use, and which plugins.
//
// # What it refuses to know
//
// kustomize, its plugins, helm and its messages never see a value. This package reads no key, no environment variable
// and writes nothing. Whatever is started by a build must not inherit an identity: callers read it and clear it from
// the environment before they call Build.
package kustomize
