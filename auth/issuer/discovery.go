package issuer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// discover asks an issuer where its keys are: OpenID Connect Discovery 1.0,
// section 4, and where that is not there RFC 8414, section 3. The metadata must
// be that of the issuer, in the very same spelling.
func discover(ctx context.Context, client *http.Client, issuer string) (jwksURI string, err error) {
	places, err := wellKnown(issuer)
	if err != nil {
		return "", err
	}
	var data []byte
	for _, place := range places {
		data, err = get(ctx, client, place)
		if !errors.Is(err, errNotFound) {
			break
		}
	}
	if err != nil {
		return "", err
	}
	var metadata struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	switch {
	case json.Unmarshal(data, &metadata) != nil:
		return "", errors.New("the metadata of the issuer is malformed")
	case metadata.Issuer != issuer:
		return "", fmt.Errorf("the metadata is that of another issuer, %.200q", metadata.Issuer)
	case metadata.Keys == "":
		return "", errors.New("the metadata of the issuer names no jwks_uri")
	case strings.HasPrefix(issuer, "https:") && !strings.HasPrefix(metadata.Keys, "https:"):
		return "", errors.New("the metadata of the issuer names a jwks_uri that is not https")
	}
	return metadata.Keys, nil
}

func wellKnown(issuer string) ([]string, error) {
	u, err := url.Parse(issuer)
	if err != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return nil, errors.New("an issuer without jwks must be a URL without query and fragment")
	}
	base := u.Scheme + "://" + u.Host
	path := strings.TrimSuffix(u.EscapedPath(), "/")
	return []string{
		base + path + "/.well-known/openid-configuration",
		base + "/.well-known/oauth-authorization-server" + path,
	}, nil
}
