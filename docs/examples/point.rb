# plivo-ruby 4.63.4
require "faraday/multipart" # for every create of the new API, with files or without
require "plivo"

client = Plivo::RestClient.new("MAXXXXXXXXXXXXXXXXXX", "token")
client.instance_variable_set(:@base_uri, ENV.fetch("PLIVO_SIM_URL", "http://127.0.0.1:8700"))
client.send(:configure_connection)
