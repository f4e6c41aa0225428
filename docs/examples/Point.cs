// plivo-dotnet 5.53.0 (read, not run). Before any interface is used.
using Plivo;
using Plivo.Authentication;

var api = new PlivoApi("MAXXXXXXXXXXXXXXXXXX", "token");
api.Client = new Plivo.Client.HttpClient(
    new BasicAuth("MAXXXXXXXXXXXXXXXXXX", "token"), baseUri: "http://127.0.0.1:8700/v1");
