*** Settings ***
Resource            report.resource
Suite Setup         Raise With    ${SECRET}
Suite Teardown      Raise Chained    ${SECRET}

*** Test Cases ***
Not Run
    No Operation
