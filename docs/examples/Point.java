// plivo-java 5.49.0. The field is protected, hence the package.
package com.plivo.api;

public class Point {
    public static void main(String[] args) {
        String url = System.getenv().getOrDefault("PLIVO_SIM_URL", "http://127.0.0.1:8700");
        PlivoClient.BASE_URL = url + "/v1/";
        Plivo.init("MAXXXXXXXXXXXXXXXXXX", "token");
    }
}
