*** Settings ***
Resource            report.resource
Library             ../../../libraries/ReportLibrary/    AS    Again

*** Test Cases ***
Once
    GROUP    Only one line of me
        No Operation
    END
