// plivo-go 7.60.2. The options must not be nil.
package main

import (
	"fmt"
	"net/url"

	"github.com/plivo/plivo-go/v7"
)

func main() {
	client, err := plivo.NewClient("MAXXXXXXXXXXXXXXXXXX", "token", &plivo.ClientOptions{})
	if err != nil {
		panic(err)
	}
	client.BaseUrl, _ = url.Parse("http://127.0.0.1:8700/")
	asked, err := client.PhoneNumberComplianceRequirements.Get(
		plivo.GetPhoneNumberComplianceRequirementsParams{CountryISO: "IN", NumberType: "local", UserType: "business"})
	fmt.Println(asked, err)
}
