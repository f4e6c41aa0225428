// plivo-dotnet 5.53.0. Before any interface is used.
using System;
using Plivo;
using Plivo.Authentication;

var api = new PlivoApi("MAXXXXXXXXXXXXXXXXXX", "token");
var url = Environment.GetEnvironmentVariable("PLIVO_SIM_URL") ?? "http://127.0.0.1:8700";
api.Client = new Plivo.Client.HttpClient(
    new BasicAuth("MAXXXXXXXXXXXXXXXXXX", "token"), baseUri: url + "/v1");
