package values

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// DockerConfigKey is the key of a Secret of type kubernetes.io/dockerconfigjson.
const DockerConfigKey = ".dockerconfigjson"

// Registry is the login to one container registry; Email may be "".
type Registry struct{ Server, Username, Password, Email string }

// AddDockerConfig adds a Docker configuration with one or more logins. For one it is, byte for byte, what kubectl writes. It
// refuses one that lacks a field, a server that is there twice, and text that is no UTF-8, which JSON can't hold.
func (v *Values) AddDockerConfig(logins ...Registry) error {
	type auth struct {
		Username string `json:"username,omitempty"`
		Password string `json:"password,omitempty"`
		Email    string `json:"email,omitempty"`
		Auth     string `json:"auth,omitempty"`
	}
	auths := map[string]auth{}
	for _, l := range logins {
		switch _, twice := auths[l.Server]; {
		case l.Server == "" || l.Username == "" || l.Password == "":
			return &Error{Err: errors.New("a registry needs a server, a username and a password")}
		case twice:
			return &Error{Err: errors.New("a registry is there twice"), Hint: "Docker's configuration has one login for each server"}
		case !utf8.ValidString(l.Server + "\n" + l.Username + "\n" + l.Password + "\n" + l.Email):
			return &Error{Err: errors.New("a login that is no UTF-8")}
		}
		login := base64.StdEncoding.EncodeToString([]byte(l.Username + ":" + l.Password))
		auths[l.Server] = auth{l.Username, l.Password, l.Email, login}
	}
	// Maps are written sorted, and <, > and & escaped: kubectl's encoding.
	config, err := json.Marshal(map[string]any{"auths": auths})
	if err != nil {
		return err
	}
	return v.Add(DockerConfigKey, config)
}
