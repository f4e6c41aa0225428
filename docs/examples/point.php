<?php
// plivo-php 4.70.0. The base is a constant read through self::, hence a subclass.
require 'vendor/autoload.php';

class LocalClient extends Plivo\BaseClient
{
    public function prepareRequestMessage(Plivo\Http\PlivoRequest $request, $url = null)
    {
        return [
            $url ?: (getenv('PLIVO_SIM_URL') ?: 'http://127.0.0.1:8700') . '/' . $request->getUrl(),
            $request->getMethod(), $request->getHeaders(), $request->getParams(),
        ];
    }
}

$client = new Plivo\RestClient('MAXXXXXXXXXXXXXXXXXX', 'token');
$client->client = new LocalClient('MAXXXXXXXXXXXXXXXXXX', 'token'); // before first use
