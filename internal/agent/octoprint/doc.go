// Package octoprint is the adapter to OctoPrint: what its printer is and does, folded from the push socket, with REST
// only for what push does not carry. It is built to cost the print nothing: one socket at one message a second, a few
// requests when a connection is opened, no G-code sent, no position asked for (M114).
package octoprint
