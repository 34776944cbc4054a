package sim

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"
)

// client is the part of the HTTP API that a fleet needs.
type client struct {
	base  *url.URL
	token string
	http  http.Client
}

const maxAnswer = 1 << 20 // bytes

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

func (c *client) trust(roots *x509.CertPool) {
	c.http.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, MaxIdleConnsPerHost: 8}
}

// ca fetches the server's own CA. Only for a server on this machine: elsewhere it would be trust without a reason.
func (c *client) ca(ctx context.Context) ([]byte, error) {
	h := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base.JoinPath("/ca.crt").String(), nil)
	if err != nil {
		return nil, err
	}
	res, err := h.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusNotFound {
		return nil, nil // a server with a public certificate has no CA of its own
	}
	if res.StatusCode != http.StatusOK {
		return nil, errors.New(res.Status)
	}
	return io.ReadAll(io.LimitReader(res.Body, maxAnswer))
}

// call sends in as JSON and reads the answer into out. Statuses that are an answer to it, not a failure, are listed in ok.
func (c *client) call(ctx context.Context, method, path string, in, out any, ok ...int) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return 0, err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base.JoinPath("/api/v1", path).String(), body)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", "application/json")
	res, err := c.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return 0, err
	}
	for _, s := range ok {
		if s == res.StatusCode {
			if out == nil || len(b) == 0 {
				return s, nil
			}
			return s, json.Unmarshal(b, out)
		}
	}
	var problem struct {
		Code       string `json:"code"`
		Detail     string `json:"detail"`
		RetryAfter int    `json:"retry_after"`
	}
	if json.Unmarshal(b, &problem) == nil && problem.Code != "" {
		return res.StatusCode, fmt.Errorf("%s: %s", problem.Code, problem.Detail)
	}
	return res.StatusCode, errors.New(res.Status)
}

// mqttAddress is what GET /server says of the MQTT door.
type mqttAddress struct {
	Host string `json:"host"`
	Port int    `json:"port"`
	TLS  bool   `json:"tls"`
}

// address gives host:port; a server that names no host is reached where its pages are.
func (m mqttAddress) address(fallback string) string {
	host := m.Host
	if host == "" || loopback(fallback) {
		host = fallback
	}
	return net.JoinHostPort(host, strconv.Itoa(m.Port))
}

func (c *client) where(ctx context.Context) (mqttAddress, error) {
	var s struct {
		MQTT mqttAddress `json:"mqtt"`
	}
	if _, err := c.call(ctx, http.MethodGet, "/server", nil, &s, http.StatusOK); err != nil {
		return mqttAddress{}, err
	}
	if s.MQTT.Port == 0 {
		return mqttAddress{}, errors.New("it has its MQTT door closed")
	}
	return s.MQTT, nil
}

func (c *client) me(ctx context.Context) (id string, err error) {
	var me struct {
		ID string `json:"id"`
	}
	_, err = c.call(ctx, http.MethodGet, "/me", nil, &me, http.StatusOK)
	return me.ID, err
}

// register makes the printer, or a new token for the one that an earlier run made.
func (c *client) register(ctx context.Context, uuid, name string) (token string, err error) {
	var answer struct {
		Token string `json:"device_token"`
	}
	in := map[string]any{"uuid": uuid, "name": name, "description": "simulated"}
	status, err := c.call(ctx, http.MethodPost, "/printers", in, &answer, http.StatusOK, http.StatusCreated)
	if err != nil {
		return "", err
	}
	if status == http.StatusOK {
		if _, err := c.call(ctx, http.MethodPost, "/printers/"+uuid+"/token", nil, &answer, http.StatusOK, http.StatusCreated); err != nil {
			return "", err
		}
	}
	if answer.Token == "" {
		return "", errors.New("the server gave no device token")
	}
	return answer.Token, nil
}

// needCamera gives the printer a camera unless it has one. Its address is nobody's: a simulated device makes the pictures
// itself.
func (c *client) needCamera(ctx context.Context, uuid string) error {
	type camera struct {
		Name      string `json:"name"`
		StreamURL string `json:"stream_url"`
	}
	var list struct {
		Items []camera `json:"items"`
	}
	if _, err := c.call(ctx, http.MethodGet, "/printers/"+uuid+"/cameras", nil, &list, http.StatusOK); err != nil || len(list.Items) > 0 {
		return err
	}
	list.Items = []camera{{Name: "Camera", StreamURL: "http://127.0.0.1/?action=stream"}}
	_, err := c.call(ctx, http.MethodPut, "/printers/"+uuid+"/cameras", list, nil, http.StatusOK)
	return err
}

func (c *client) remove(ctx context.Context, uuid string) error {
	_, err := c.call(ctx, http.MethodDelete, "/printers/"+uuid, nil, nil, http.StatusOK, http.StatusNoContent, http.StatusNotFound)
	return err
}
