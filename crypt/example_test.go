package crypt_test

import (
	"fmt"

	"github.com/ageseal/ageseal/crypt"
)

func ExampleDataKey_Seal() {
	// The writer has public keys only.
	reader, _ := crypt.GenerateIdentity(true)
	session, _ := crypt.NewSession([]*crypt.Recipient{reader.Recipient()})
	key := crypt.GenerateDataKey()
	secret := crypt.Binding{Namespace: "prod", Name: "db"}
	wrap, box := session.Wrap(key), key.Seal(secret, "password", []byte("hunter2"))

	opened, err := crypt.NewOpener(reader).Unwrap(key.ID(), wrap)
	if err != nil {
		fmt.Println(err)
		return
	}
	value, err := opened.Open(secret, "password", box)
	fmt.Println(string(value), err)
	_, err = opened.Open(secret, "user", box)
	fmt.Println(err)
	// Output:
	// hunter2 <nil>
	// the value was altered, or copied from another Secret or key
}
