package file

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// Register adds the calls under /api/v1 to api.
func (s *Service) Register(api huma.API) {
	huma.Register(api, op("list-files", http.MethodGet, "/api/v1/files",
		"The files of a library: those of a folder, or with deep=true of all below it"), s.apiList)
	huma.Register(api, op("get-files-usage", http.MethodGet, "/api/v1/files/usage",
		"How much room a library takes and has, and the tags in use"), s.apiUsage)
	huma.Register(api, op("get-file", http.MethodGet, "/api/v1/files/{id}", "A file with what was found in it"), s.apiGet)
	huma.Register(api, op("edit-file", http.MethodPatch, "/api/v1/files/{id}", "Rename a file, move it to another folder, or set its tags"), s.apiEdit)
	huma.Register(api, none(op("delete-file", http.MethodDelete, "/api/v1/files/{id}",
		"Delete a file for good; operators their own, owners every one")), s.apiDelete)
	huma.Register(api, op("list-folders", http.MethodGet, "/api/v1/folders", "Every folder of a library, by path"), s.apiFolders)
	huma.Register(api, op("create-folder", http.MethodPost, "/api/v1/folders", "Make a folder; one that is there already is no error"), s.apiCreateFolder)
	huma.Register(api, op("move-folder", http.MethodPatch, "/api/v1/folders", "Give a folder, with all in it, another path"), s.apiMoveFolder)
	huma.Register(api, none(op("delete-folder", http.MethodDelete, "/api/v1/folders", "Delete an empty folder")), s.apiDeleteFolder)
	s.registerContent(api)
	s.registerToolpath(api)
	s.registerUploads(api)
	if s.Printers != nil {
		s.registerTransfers(api)
	}
}

func op(id, method, path, summary string) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{"Files"},
		Security: []map[string][]string{{"session": {}}, {"token": {}}},
		Metadata: map[string]any{"access": "member"}, MaxBodyBytes: 64 << 10,
	}
}

func none(o huma.Operation) huma.Operation {
	o.DefaultStatus = http.StatusNoContent
	return o
}

// raw adds a call that writes its answer itself, described like the others.
func raw(api huma.API, o huma.Operation, serve func(w http.ResponseWriter, r *http.Request)) {
	if o.Responses == nil {
		o.Responses = map[string]*huma.Response{}
	}
	o.Responses["default"] = &huma.Response{Description: "Error", Content: map[string]*huma.MediaType{
		problemType: {Schema: api.OpenAPI().Components.Schemas.Schema(problemSchema, true, "Problem")},
	}}
	api.OpenAPI().AddOperation(&o)
	api.Adapter().Handle(&o, api.Middlewares().Handler(func(ctx huma.Context) {
		r, w := humago.Unwrap(ctx)
		serve(w, r)
	}))
}

// WorkspaceQuery names whose library is meant. It is exported because huma looks into no other embedded type.
type WorkspaceQuery struct {
	WorkspaceID string `query:"workspace" maxLength:"64" doc:"Id of the workspace; default: your own"`
}

type idPath struct {
	ID string `path:"id" maxLength:"64"`
}

func (s *Service) apiList(ctx context.Context, in *struct {
	WorkspaceQuery
	Folder string `query:"folder" maxLength:"2048" doc:"Names with / between them; default: those in no folder"`
	Deep   bool   `query:"deep" doc:"With the files of the folders below"`
	Search string `query:"q" maxLength:"255" doc:"Part of the name"`
	Tag    string `query:"tag" maxLength:"160"`
	Sort   string `query:"sort" default:"name" enum:"name,-name,created_at,-created_at,size,-size,print_time,-print_time"`
	After  string `query:"after" maxLength:"2048" doc:"What the answer before gave as next"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"100"`
}) (*struct {
	Body struct {
		Items []File `json:"items"`
		Next  string `json:"next,omitempty" doc:"There is more: ask again with this as after"`
	}
}, error) {
	id, err := s.requireIn(ctx, workspace.FileView, in.WorkspaceID)
	if err != nil {
		return nil, err
	}
	folder, err := tidyFolder("folder", in.Folder)
	if err != nil {
		return nil, err
	}
	out := &struct {
		Body struct {
			Items []File `json:"items"`
			Next  string `json:"next,omitempty" doc:"There is more: ask again with this as after"`
		}
	}{}
	out.Body.Items, out.Body.Next, err = s.List(ctx, Query{WorkspaceID: id, Folder: folder, Deep: in.Deep,
		Search: in.Search, Tag: in.Tag, Sort: in.Sort, After: in.After, Limit: in.Limit})
	return out, err
}

func (s *Service) apiUsage(ctx context.Context, in *WorkspaceQuery) (*struct {
	Body struct {
		Usage
		Tags []string `json:"tags"`
	}
}, error) {
	id, err := s.requireIn(ctx, workspace.FileView, in.WorkspaceID)
	if err != nil {
		return nil, err
	}
	out := &struct {
		Body struct {
			Usage
			Tags []string `json:"tags"`
		}
	}{}
	if out.Body.Usage, err = s.Usage(ctx, id); err != nil {
		return nil, err
	}
	out.Body.Tags, err = s.Tags(ctx, id)
	return out, err
}

func (s *Service) apiGet(ctx context.Context, in *idPath) (*struct{ Body File }, error) {
	f, err := s.Get(ctx, in.ID)
	return &struct{ Body File }{f}, err
}

func (s *Service) apiEdit(ctx context.Context, in *struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Name   *string   `json:"name,omitempty" maxLength:"1020"`
		Folder *string   `json:"folder,omitempty" maxLength:"2048" doc:"Made when it is missing"`
		Tags   *[]string `json:"tags,omitempty" maxItems:"64" doc:"All of them"`
	}
}) (*struct{ Body File }, error) {
	f, err := s.Edit(ctx, in.ID, Edit{Name: in.Body.Name, Folder: in.Body.Folder, Tags: in.Body.Tags})
	return &struct{ Body File }{f}, err
}

func (s *Service) apiDelete(ctx context.Context, in *idPath) (*struct{}, error) {
	return nil, s.Delete(ctx, in.ID)
}

func (s *Service) apiFolders(ctx context.Context, in *WorkspaceQuery) (*struct {
	Body struct {
		Items []Folder `json:"items"`
	}
}, error) {
	id, err := s.requireIn(ctx, workspace.FileView, in.WorkspaceID)
	if err != nil {
		return nil, err
	}
	out := &struct {
		Body struct {
			Items []Folder `json:"items"`
		}
	}{}
	out.Body.Items, err = s.Folders(ctx, id)
	return out, err
}

type folderBody struct{ Body Folder }

func (s *Service) apiCreateFolder(ctx context.Context, in *struct {
	WorkspaceQuery
	Body struct {
		Path string `json:"path" maxLength:"2048" doc:"Names with / between them; those around it are made, too"`
	}
}) (*folderBody, error) {
	id, err := s.requireIn(ctx, workspace.FileEdit, in.WorkspaceID)
	if err != nil {
		return nil, err
	}
	f, err := s.CreateFolder(ctx, id, in.Body.Path)
	return &folderBody{f}, err
}

func (s *Service) apiMoveFolder(ctx context.Context, in *struct {
	WorkspaceQuery
	Body struct {
		Path    string `json:"path" maxLength:"2048"`
		NewPath string `json:"new_path" maxLength:"2048"`
	}
}) (*folderBody, error) {
	id, err := s.requireIn(ctx, workspace.FileEdit, in.WorkspaceID)
	if err != nil {
		return nil, err
	}
	f, err := s.MoveFolder(ctx, id, in.Body.Path, in.Body.NewPath)
	return &folderBody{f}, err
}

func (s *Service) apiDeleteFolder(ctx context.Context, in *struct {
	WorkspaceQuery
	Path string `query:"path" required:"true" maxLength:"2048"`
}) (*struct{}, error) {
	id, err := s.requireIn(ctx, workspace.FileEdit, in.WorkspaceID)
	if err != nil {
		return nil, err
	}
	return nil, s.DeleteFolder(ctx, id, in.Path)
}
