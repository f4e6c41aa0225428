// plivo-go 7.60.2. The options must not be nil.
package main

import (
	"fmt"
	"net/url"
	"os"

	"github.com/plivo/plivo-go/v7"
)

func main() {
	client, err := plivo.NewClient("MAXXXXXXXXXXXXXXXXXX", "token", &plivo.ClientOptions{})
	if err != nil {
		panic(err)
	}
	base := os.Getenv("PLIVO_SIM_URL")
	if base == "" {
		base = "http://127.0.0.1:8700"
	}
	client.BaseUrl, err = url.Parse(base + "/")
	if err != nil {
		panic(err)
	}
	asked, err := client.PhoneNumberComplianceRequirements.Get(
		plivo.PhoneNumberComplianceRequirementGetParams{CountryISO: "IN", NumberType: "local", UserType: "business"})
	fmt.Println(asked, err)
}
