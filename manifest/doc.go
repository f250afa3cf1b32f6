// Package manifest reads and writes Kubernetes manifests as text: native Secrets, and the sealed ones they become.
//
// It knows streams of YAML and JSON documents, Lists, flow style and KYAML, comments, line ends, and the limits of all of them. It refuses
// to know what is in a box: no cryptography, no files, no environment, nothing printed. What it is given is not trusted.
//
//	apiVersion: ageseal.dev/v1alpha1
//	kind: EncryptedSecret
//	metadata:                 # of the native Secret, in clear; order and style are the user's
//	  name: db
//	  namespace: prod
//	spec:
//	  suite: 1
//	  type: Opaque            # absent stays absent
//	  immutable: true         # absent stays absent
//	  binding:                # {} if empty
//	    namespace: prod
//	    name: db
//	  wraps:                  # data-key id → recipients' fingerprints, age file, data key; {} if empty
//	    475rdxtz3v2prwywscz6juw6n4tmnstt:
//	      to: [scz6juw6n4tmnstt, wn3mjuurehodhayl]
//	      age: YWdlLWVuY3J5cHRpb24ub3Jn…
//	      dk: 9Jm0c2dvCs…
//	  data:                   # key of the Secret → data-key id, ciphertext; {} if empty
//	    API_TOKEN:
//	      by: 475rdxtz3v2prwywscz6juw6n4tmnstt
//	      box: Ckk66mGIsxdXTBKbe4Y7gyDdWSA5DUhXbFByP3eTRC7X…
//
// A File is cut into documents by their markers alone; documents that hold no Secret are never parsed if a test of bytes rules one out, and
// are written back byte for byte. The others become Items, of six Kinds. What doesn't parse and speaks of a Secret is an Item too, of Kind
// Broken: a sealed or plaintext Secret is never taken for somebody else's text.
//
// Reading is strict. Anything that two YAML readers may see differently (duplicate keys, anchors, aliases, tags, merge keys, plain scalars
// such as on, 1e3 or 0o17) is an error with its line, and so is an unknown field. A value of a native Secret is what kubectl takes it for.
// No error quotes a value.
//
// Writing is canonical for the spec (that order, maps sorted bytewise, two blanks, one line a scalar, double quotes where a plain scalar is
// not a string in YAML 1.1 and 1.2) and hands off for everything else: Seal, SetSpec and Unseal edit lines of the text. A comment belongs to
// the entry below it, or to that on its line; one that is indented further belongs to the value above. Only objects in flow style, and
// spellings such as "? key", are written anew: as JSON in JSON documents and inside flow collections, else in block style. A document that is
// edited loses CRLF and BOM.
//
// Three readers make one tree: a fast one for plain block style, encoding/json for JSON, go.yaml.in/yaml/v3 for the rest. Fuzz targets hold
// that they agree, that kubectl's reader agrees, and that writing what was read changes nothing.
package manifest
