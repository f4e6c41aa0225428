// plivo-java 5.49.0. The field is protected, hence the package.
package com.plivo.api;

public class Point {
    public static void main(String[] args) {
        PlivoClient.BASE_URL = "http://127.0.0.1:8700/v1/";
        Plivo.init("MAXXXXXXXXXXXXXXXXXX", "token");
    }
}
