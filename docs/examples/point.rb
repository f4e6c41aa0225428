# plivo-ruby 4.63.4
require "plivo"

client = Plivo::RestClient.new("MAXXXXXXXXXXXXXXXXXX", "token")
client.instance_variable_set(:@base_uri, "http://127.0.0.1:8700")
client.send(:configure_connection)
