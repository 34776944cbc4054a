package printer

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

func (s *Service) registerTransfer(api huma.API) {
	offer := op("offer-printer", http.MethodPost, "/api/v1/printers/{uuid}/transfer", "member",
		"Offer a printer to another account: whoever enters the code takes it over, with its past")
	offer.DefaultStatus = http.StatusCreated
	huma.Register(api, offer, s.apiOffer)
	huma.Register(api, op("get-offer", http.MethodGet, "/api/v1/printers/{uuid}/transfer", "member",
		"Whether a printer is offered to another account"), s.apiOffered)
	huma.Register(api, none(op("withdraw-offer", http.MethodDelete, "/api/v1/printers/{uuid}/transfer", "member",
		"Withdraw the offer of a printer")), s.apiWithdraw)
	accept := op("accept-printer", http.MethodPost, "/api/v1/transfers/accept", "user",
		"Take over a printer that its owner has offered, by the code")
	accept.Description = "The device gets a new token, given by this answer alone, and is sent off until it comes with it: the old one has " +
		"ended. Its cameras stay, without their addresses, which may hold passwords of the former owner."
	huma.Register(api, accept, s.apiAccept)
	huma.Register(api, op("look-up-setup", http.MethodGet, "/api/v1/setup/{uuid}", "user",
		"What is known to you of a UUID under which you may see no printer"), s.apiSetup)
}

type offerBody struct {
	Body struct {
		Code      string    `json:"code" doc:"Shown this once"`
		ExpiresAt time.Time `json:"expires_at"`
	}
}

func (s *Service) apiOffer(ctx context.Context, in *PrinterPath) (*offerBody, error) {
	o, err := s.Offer(ctx, in.UUID)
	out := &offerBody{}
	out.Body.Code, out.Body.ExpiresAt = o.Code, o.ExpiresAt
	return out, err
}

func (s *Service) apiOffered(ctx context.Context, in *PrinterPath) (*struct {
	Body struct {
		Open      bool       `json:"open"`
		ExpiresAt *time.Time `json:"expires_at,omitempty"`
	}
}, error) {
	o, err := s.Offered(ctx, in.UUID)
	out := &struct {
		Body struct {
			Open      bool       `json:"open"`
			ExpiresAt *time.Time `json:"expires_at,omitempty"`
		}
	}{}
	if o != nil {
		out.Body.Open, out.Body.ExpiresAt = true, &o.ExpiresAt
	}
	return out, err
}

func (s *Service) apiWithdraw(ctx context.Context, in *PrinterPath) (*struct{}, error) {
	return nil, s.Withdraw(ctx, in.UUID)
}

func (s *Service) apiAccept(ctx context.Context, in *struct {
	Body struct {
		Code string `json:"code" maxLength:"64" doc:"Small letters, spaces and dashes do not matter"`
	}
}) (*struct{ Body Made }, error) {
	uuid, token, err := s.Accept(ctx, in.Body.Code)
	if err != nil {
		return nil, err
	}
	v, err := s.viewFor(ctx, uuid)
	return &struct{ Body Made }{Made{View: v, DeviceToken: token}}, err
}

func (s *Service) apiSetup(ctx context.Context, in *PrinterPath) (*struct{ Body Setup }, error) {
	found, err := s.LookUp(ctx, in.UUID)
	return &struct{ Body Setup }{found}, err
}
