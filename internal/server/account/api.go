package account

import "github.com/danielgtaylor/huma/v2"

// Register adds the calls under /api/v1 to api.
func (s *Service) Register(api huma.API) {}
